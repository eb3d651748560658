// Owns what the network capability relies on at its doors: the fake host beside the source, this host from test/ as root.

import assert from 'node:assert/strict';
import { randomBytes, randomInt } from 'node:crypto';
import { test } from 'node:test';
import type { BridgeRules, PortMapping } from '../../../host/firewall/ruleset.ts';
import type { Link } from '../../../host/netlink/links.ts';
import type { NetworkDoors } from '../doors.ts';

/** A host to test on. Disposing ends its processes. */
export interface ContractHost extends AsyncDisposable {
  readonly doors: NetworkDoors;
  /** Starts a process in a network namespace of its own. @returns its id */
  namespace(): Promise<number>;
}

const NO_PROCESS = 2 ** 22 + 1;
const MAC = '02:00:00:00:00:07';

/** A bridge of a name and a subnet that no other test has at the same time. */
function bridgeRequest() {
  const net = `10.${randomInt(128, 256)}.${randomInt(256)}`;
  const name = `gtyt${randomBytes(3).toString('hex')}`;
  return { name, net, request: { name, mac: '02:00:00:00:00:01', mtu: 1500, address: `${net}.1`, prefixLength: 24 } };
}

async function linkNamed({ links }: NetworkDoors, name: string): Promise<Link | undefined> {
  return (await links.list()).find((link) => link.name === name);
}

/** Registers the tests of links. */
export function linksContract(what: string, open: () => Promise<ContractHost>): void {
  bridgeContract(what, open);
  failedPlugContract(what, open);
}

function bridgeContract(what: string, open: () => Promise<ContractHost>): void {
  test(`${what}: a bridge that is there is taken as it is, and has one address: the last one asked for`, async () => {
    await using host = await open();
    const { links } = host.doors;
    const { name, net, request } = bridgeRequest();
    const first = await links.ensureBridge(request);
    try {
      const second = await links.ensureBridge({ ...request, mac: '02:00:00:00:00:02', address: `${net}.9` });
      assert.deepEqual(second, first);
      const own = (await links.addresses()).filter(({ linkIndex }) => linkIndex === first.index);
      assert.deepEqual(
        own.map(({ address }) => address),
        [`${net}.9`],
      );
    } finally {
      await links.remove([name]);
    }
    assert.equal(await linkNamed(host.doors, name), undefined);
  });

  test(`${what}: a plugged namespace has a link on the bridge until it is removed, once or twice`, async () => {
    await using host = await open();
    const { links } = host.doors;
    const { name, net, request } = bridgeRequest();
    const bridge = await links.ensureBridge(request);
    const linkName = `veth${randomBytes(4).toString('hex')}`;
    const place = { bridge, linkName, mac: MAC, mtu: 1400, prefixLength: 24, gateway: `${net}.1`, hairpin: false };
    try {
      await links.plug({ ...place, pid: await host.namespace(), address: `${net}.2` });
      const link = await linkNamed(host.doors, linkName);
      assert.deepEqual([link?.master, link?.kind, link?.mtu], [bridge.index, 'veth', 1400]);
      await links.mute(linkName);
      await links.remove([linkName]);
      await links.remove([linkName]);
      await links.mute(linkName);
      await links.enslave([linkName], bridge, true);
      assert.equal(await linkNamed(host.doors, linkName), undefined);
    } finally {
      await links.remove([name]);
    }
  });
}

function failedPlugContract(what: string, open: () => Promise<ContractHost>): void {
  test(`${what}: what cannot be plugged in leaves no link behind, and says why`, async () => {
    await using host = await open();
    const { links } = host.doors;
    const { name, net, request } = bridgeRequest();
    const bridge = await links.ensureBridge(request);
    const linkName = `veth${randomBytes(4).toString('hex')}`;
    const rest = {
      linkName,
      mac: MAC,
      mtu: 1500,
      address: `${net}.2`,
      prefixLength: 24,
      gateway: `${net}.1`,
      hairpin: false,
    };
    try {
      await assert.rejects(links.plug({ ...rest, bridge, pid: NO_PROCESS }), { code: 'ENOENT' });
    } finally {
      await links.remove([name]);
    }
    await assert.rejects(links.plug({ ...rest, bridge, pid: await host.namespace() }));
    assert.equal(await linkNamed(host.doors, linkName), undefined);
  });
}

const mapping = (hostPort: number, address: string, hostIp = '0.0.0.0'): PortMapping => {
  return { hostIp, hostPort, protocol: 'tcp', address, port: 80 };
};
const RULES: BridgeRules = { bridge: 'gtytnone', subnet: '10.128.0.0/24', gateway: '10.128.0.1' };

/** Registers the tests of the firewall. What is published shows in this: its port cannot be published to another address. */
export function firewallContract(what: string, open: () => Promise<ContractHost>): void {
  const isPublished = async ({ firewall }: NetworkDoors, hostPort: number, hostIp?: string): Promise<boolean> => {
    const probe = mapping(hostPort, '10.128.0.254', hostIp);
    if (!(await firewall.publish([probe]))) return true;
    await firewall.unpublish([probe]);
    return false;
  };

  test(`${what}: without a table nothing is published, and the caller hears of it`, async () => {
    await using host = await open();
    const { firewall } = host.doors;
    await firewall.remove();
    assert.equal(await firewall.publish([mapping(8080, '10.128.0.2')]), false);
    assert.equal(await firewall.publish([]), true);
    await firewall.unpublish([mapping(8080, '10.128.0.2')]);
    await firewall.replace([RULES], []);
    assert.equal(await firewall.publish([mapping(8080, '10.128.0.2')]), true);
    assert.ok(await isPublished(host.doors, 8080));
    await firewall.remove();
    assert.equal(await firewall.publish([mapping(8080, '10.128.0.2')]), false);
    await firewall.remove();
  });

  test(`${what}: ports are published all or none`, async () => {
    await using host = await open();
    const { firewall } = host.doors;
    await firewall.replace([RULES], [mapping(8080, '10.128.0.2')]);
    assert.equal(await firewall.publish([mapping(8081, '10.128.0.3'), mapping(8080, '10.128.0.3')]), false);
    assert.deepEqual([await isPublished(host.doors, 8080), await isPublished(host.doors, 8081)], [true, false]);
    await firewall.remove();
  });

  test(`${what}: taking back what is partly gone takes back the rest; a port at one address is not that of another`, async () => {
    await using host = await open();
    const { firewall } = host.doors;
    await firewall.replace([RULES], [mapping(8080, '10.128.0.2'), mapping(8081, '10.128.0.2', '127.0.0.1')]);
    assert.equal(await isPublished(host.doors, 8080, '127.0.0.1'), false);
    await firewall.unpublish([mapping(9090, '10.128.0.2'), mapping(8081, '10.128.0.2', '127.0.0.1')]);
    assert.deepEqual(
      [await isPublished(host.doors, 8080), await isPublished(host.doors, 8081, '127.0.0.1')],
      [true, false],
    );
    await firewall.remove();
  });

  test(`${what}: a new ruleset forgets the ports of the old one`, async () => {
    await using host = await open();
    const { firewall } = host.doors;
    await firewall.replace([RULES], [mapping(8080, '10.128.0.2')]);
    await firewall.replace([RULES], [mapping(8082, '10.128.0.2')]);
    assert.deepEqual([await isPublished(host.doors, 8080), await isPublished(host.doors, 8082)], [false, true]);
    await firewall.remove();
  });
}

/** Registers the tests of host ports. Needs no root: loopback addresses that nobody else uses, ports above 20000. */
export function hostPortsContract(what: string, open: () => Promise<Pick<NetworkDoors, 'openHostPort'>>): void {
  test(`${what}: a held port is refused to others, at its address or at all of them, and free once let go`, async () => {
    const { openHostPort } = await open();
    const hostIp = `127.${randomInt(1, 255)}.${randomInt(256)}.${randomInt(1, 255)}`;
    const request = { protocol: 'tcp', hostIp, hostPort: randomInt(20_000, 30_000) } as const;
    const held = openHostPort(request);
    assert.throws(() => openHostPort(request), { name: 'SystemError', code: 'EADDRINUSE' });
    assert.throws(() => openHostPort({ ...request, hostIp: '0.0.0.0' }), { code: 'EADDRINUSE' });
    openHostPort({ ...request, protocol: 'udp' })[Symbol.dispose]();
    held[Symbol.dispose]();
    openHostPort(request)[Symbol.dispose]();
  });

  test(`${what}: an address that the host does not have is refused as that`, async () => {
    const { openHostPort } = await open();
    const request = { protocol: 'tcp', hostIp: '203.0.113.9', hostPort: 20_000 } as const;
    assert.throws(() => openHostPort(request), { name: 'SystemError', code: 'EADDRNOTAVAIL' });
  });
}
