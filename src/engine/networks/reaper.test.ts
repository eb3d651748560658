import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Flow } from '../../host/firewall/conntrack.ts';
import { Reaper, type ReaperDoors } from './reaper.ts';

const flow = (source: string, answerer: string): Flow => ({ source, destination: '', port: 0, protocol: 6, answerer });

function bench(links: string[], failing = false) {
  const removed: string[] = [];
  const freed: string[] = [];
  const logs: string[] = [];
  let match: (flow: Flow) => boolean = () => false;
  const resting = new Set(['10.0.0.2', '10.0.0.3']);
  const doors: ReaperDoors = {
    links: {
      list: async () => links.map((name, index) => ({ ...LINK, name, index })),
      remove: async (names) => void removed.push(...names),
    },
    forgetFlows: async (given) => {
      match = given;
      if (failing) throw new Error('no conntrack here');
      return 0;
    },
  };
  const reaper = new Reaper(
    doors,
    (address) => resting.has(address),
    (address) => freed.push(address),
    (text) => logs.push(text),
  );
  return { reaper, removed, freed, logs, resting, matches: (given: Flow) => match(given) };
}

const LINK = { up: true, master: 1, peer: 2, mac: '', mtu: 1500, kind: 'veth', alias: '' };

test('only links that outlived their namespace are removed, and addresses are free afterwards', async () => {
  const { reaper, removed, freed } = bench(['vetha', 'vethother']);
  reaper.add({ linkName: 'vetha', address: '10.0.0.2' });
  reaper.add({ linkName: 'vethb', address: '10.0.0.3' });
  await reaper.flush();
  assert.deepEqual(removed, ['vetha']);
  assert.deepEqual(freed, ['10.0.0.2', '10.0.0.3']);
});

test('connections of an address that its owner took again are spared', async () => {
  const { reaper, resting, matches } = bench([]);
  reaper.add({ linkName: 'vetha', address: '10.0.0.2' });
  reaper.add({ linkName: 'vethb', address: '10.0.0.3' });
  await reaper.flush();
  assert.ok(matches(flow('10.0.0.2', '1.1.1.1')), 'begun by it');
  assert.ok(matches(flow('9.9.9.9', '10.0.0.3')), 'answered by it');
  assert.ok(!matches(flow('9.9.9.9', '10.0.0.4')));
  resting.delete('10.0.0.3');
  assert.ok(!matches(flow('9.9.9.9', '10.0.0.3')));
});

test('a host that cannot forget connections frees the address all the same, and says so', async () => {
  const { reaper, freed, logs } = bench([], true);
  reaper.add({ linkName: 'vetha', address: '10.0.0.2' });
  await reaper.flush();
  assert.deepEqual(freed, ['10.0.0.2']);
  assert.match(logs[0] ?? '', /10\.0\.0\.2: no conntrack here/);
});
