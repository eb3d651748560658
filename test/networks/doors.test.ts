// Owns the contract of the network doors on this host's kernel. Needs root.

import { randomBytes } from 'node:crypto';
import { realDoors } from '../../src/engine/networks/doors.ts';
import {
  type ContractHost,
  firewallContract,
  linksContract,
} from '../../src/engine/networks/testing/doors-contract.ts';
import { makeNamespace } from './support/world.ts';

async function open(): Promise<ContractHost> {
  const doors = realDoors(`test_${randomBytes(3).toString('hex')}`);
  const stack = new AsyncDisposableStack();
  stack.use(doors.firewall);
  stack.defer(() => doors.firewall.remove());
  return {
    doors,
    namespace: async () => stack.use(await makeNamespace()).pid,
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

linksContract('this host', open);
firewallContract('this host', open);
