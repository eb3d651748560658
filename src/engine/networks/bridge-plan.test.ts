import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULT_ADDRESS_POOLS, formatSubnet } from './addresses.ts';
import { type HostFacts, planBridge } from './bridge-plan.ts';

const options = {
  bridgeName: 'gantry0',
  addressPools: DEFAULT_ADDRESS_POOLS,
  instance: 'x',
  userlandProxy: true,
} as const;
const link = { up: true, master: 0, peer: 0, mac: '', mtu: 1500, kind: 'bridge', alias: '' };
const bare: HostFacts = {
  links: [
    { ...link, index: 2, name: 'eth0' },
    { ...link, index: 3, name: 'docker0' },
  ],
  addresses: [{ linkIndex: 3, address: '172.17.0.1', prefixLength: 16 }],
  routes: [
    { linkIndex: 2, destination: '0.0.0.0', prefixLength: 0 },
    { linkIndex: 2, destination: '172.18.4.0', prefixLength: 24 },
  ],
};

function plan(earlier: string | undefined, facts: HostFacts, bip?: string): string {
  const { gateway, subnet } = planBridge({ ...options, bip }, earlier, facts);
  return `${gateway} in ${formatSubnet(subnet)}`;
}

test('a new bridge keeps clear of other bridges and of routed networks; a default route is no obstacle', () => {
  assert.equal(plan(undefined, bare), '172.19.0.1 in 172.19.0.0/16');
});

test('the configured address wins, then the one the bridge has, then the one it had', () => {
  const own = { ...link, index: 9, name: 'gantry0' };
  const present = { linkIndex: 9, address: '10.9.0.1', prefixLength: 24 };
  const facts = { ...bare, links: [...bare.links, own], addresses: [...bare.addresses, present] };
  assert.equal(plan('10.8.0.1/24', facts, '10.7.0.5/24'), '10.7.0.5 in 10.7.0.0/24');
  assert.equal(plan('10.8.0.1/24', facts), '10.9.0.1 in 10.9.0.0/24');
  assert.equal(plan('10.8.0.1/24', bare), '10.8.0.1 in 10.8.0.0/24');
});

test('the address it had is given up when something else took it', () => {
  assert.equal(plan('172.17.0.1/16', bare), '172.19.0.1 in 172.19.0.0/16');
});
