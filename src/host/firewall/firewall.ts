// Owns a daemon's nftables table in the kernel: whole rulesets at start, single elements while running. Edits no other table.

import { errno as ERRNO } from '../libc.ts';
import { NETLINK_NETFILTER, NetlinkError, NetlinkSocket } from '../netlink/socket.ts';
import { elementTransaction } from './elements.ts';
import { findForwardDrops } from './foreign-drops.ts';
import { runNft } from './nft.ts';
import { type BridgeRules, mappingElement, type PortMapping, removalText, rulesetText, tableName } from './ruleset.ts';

/** The firewall of one daemon. Changes happen in the order of the calls. */
export interface Firewall extends Disposable {
  /** Replaces the whole table, atomically. @throws NFT_MISSING, NFT_FAILED */
  replace(networks: readonly BridgeRules[], ports: readonly PortMapping[]): Promise<void>;
  /** Publishes ports, all or none; some 60 µs. Answers false when the table is gone or differs: then `replace`. @throws SystemError */
  publish(ports: readonly PortMapping[]): Promise<boolean>;
  /** Takes ports back; what is not there is fine. @throws SystemError */
  unpublish(ports: readonly PortMapping[]): Promise<void>;
  /** Removes the table, if it is there. */
  remove(): Promise<void>;
  /** One sentence for each chain of others that may drop our containers' traffic. */
  warnings(): readonly string[];
}

/** The firewall of daemon `instance`, over nf_tables. */
export function createFirewall(instance: string): Firewall {
  const table = tableName(instance);
  let socket: NetlinkSocket | undefined;
  let last: Promise<unknown> = Promise.resolve();
  const inOrder = <T>(work: () => Promise<T>): Promise<T> => {
    const result = last.then(work);
    last = result.catch(() => {});
    return result;
  };
  const transact = async (act: 'add' | 'delete', ports: readonly PortMapping[]): Promise<void> => {
    socket ??= new NetlinkSocket(NETLINK_NETFILTER);
    await socket.transaction(elementTransaction(act, table, ports.map(mappingElement)));
  };
  const missing = (error: unknown): boolean => isOneOf(error, [ERRNO.ENOENT]);
  return {
    replace: (networks, ports) => inOrder(() => runNft(rulesetText(table, networks, ports))),
    async publish(ports) {
      if (ports.length === 0) return true;
      try {
        await inOrder(() => transact('add', ports));
        return true;
      } catch (error) {
        if (isOneOf(error, [ERRNO.ENOENT, ERRNO.EBUSY, ERRNO.EEXIST])) return false;
        throw error;
      }
    },
    async unpublish(ports) {
      if (ports.length === 0) return;
      await inOrder(async () => {
        try {
          await transact('delete', ports);
        } catch (error) {
          if (!missing(error)) throw error;
          for (const mapping of ports) await transact('delete', [mapping]).catch(raiseUnless(missing));
        }
      });
    },
    remove: () => inOrder(() => runNft(removalText(table))),
    warnings: () =>
      findForwardDrops().map(
        ({ family, table: other, chain }) =>
          `WARNING: chain ${chain} of nftables table ${family} ${other} drops forwarded traffic: containers may be unreachable`,
      ),
    [Symbol.dispose]: () => socket?.[Symbol.dispose](),
  };
}

function raiseUnless(fine: (error: unknown) => boolean): (error: unknown) => void {
  return (error) => {
    if (!fine(error)) throw error;
  };
}

function isOneOf(error: unknown, codes: readonly number[]): boolean {
  return error instanceof NetlinkError && codes.includes(error.errno);
}
