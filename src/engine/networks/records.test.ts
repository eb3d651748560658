import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Database, openDatabase } from '../../store/database.ts';
import { openNetworkRecords } from './records.ts';
import type { NetworkRecord } from './types.ts';

const memory = () => openDatabase(':memory:');
const open = (db: Database, bridgeName = 'gantry0', rest = {}) => openNetworkRecords(db, { bridgeName, ...rest });
const names = (records: readonly NetworkRecord[]) => records.map(({ name }) => name);

test('the three networks that every Docker host has are there, with ids that outlive the daemon', () => {
  using db = memory();
  const first = open(db);
  assert.deepEqual(
    first.list().map(({ name, driver, bridgeName }) => [name, driver, bridgeName]),
    [
      ['bridge', 'bridge', 'gantry0'],
      ['host', 'host', ''],
      ['none', 'null', ''],
    ],
  );
  assert.deepEqual(open(db).list(), first.list());
});

test('inspect shows what the daemon was configured with, also after the configuration changed', () => {
  using db = memory();
  const { id, created } = open(db).get('bridge');
  const options = { mtu: 1400, icc: false, ipMasq: false, hostIp: '10.0.0.1' };
  const changed = open(db, 'gantry0', options).get('bridge');
  assert.deepEqual([changed.id, changed.created], [id, created]);
  assert.deepEqual(changed.options, {
    'com.docker.network.bridge.default_bridge': 'true',
    'com.docker.network.bridge.enable_icc': 'false',
    'com.docker.network.bridge.enable_ip_masquerade': 'false',
    'com.docker.network.bridge.host_binding_ipv4': '10.0.0.1',
    'com.docker.network.bridge.name': 'gantry0',
    'com.docker.network.driver.mtu': '1400',
  });
});

test('the address range of the bridge is kept over a restart, and forgotten with the bridge it belonged to', () => {
  using db = memory();
  const records = open(db);
  const ipam = [{ subnet: '10.9.0.0/24', gateway: '10.9.0.1' }];
  records.put({ ...records.get('bridge'), ipam });
  assert.deepEqual(records.get('bridge').ipam, ipam, 'a record that was put is what is read next');
  assert.deepEqual(open(db, 'gantry0', { mtu: 9000 }).get('bridge').ipam, ipam);
  const other = open(db, 'gantry1').get('bridge');
  assert.deepEqual([other.id, other.ipam], [records.get('bridge').id, []]);
});

test('with the bridge switched off it is not shown, and comes back with its id', () => {
  using db = memory();
  const { id } = open(db).get('bridge');
  const off = open(db, 'none');
  assert.deepEqual(names(off.list()), ['host', 'none']);
  assert.throws(() => off.get('bridge'), { code: 'NETWORK_NOT_FOUND' });
  assert.equal(open(db).get('bridge').id, id);
});

test('a network is found by name, id and unique prefix; a name goes before a prefix', () => {
  using db = memory();
  const records = open(db);
  const bridge = records.get('bridge');
  assert.equal(records.get(bridge.id), bridge);
  const prefix = bridge.id.slice(0, 20);
  assert.equal(records.get(prefix), bridge);
  assert.throws(() => records.get('nothing'), {
    kind: 'notFound',
    code: 'NETWORK_NOT_FOUND',
    message: 'network nothing not found',
  });
  records.put({ ...bridge, id: `${prefix}f`, name: 'twin' });
  records.put({ ...bridge, id: 'e'.repeat(64), name: prefix });
  assert.equal(records.get(prefix).id, 'e'.repeat(64));
  assert.throws(() => records.get(prefix.slice(0, 19)), {
    kind: 'invalid',
    code: 'NETWORK_AMBIGUOUS',
    message: `network ${prefix.slice(0, 19)} is ambiguous (2 matches found based on ID prefix)`,
  });
});
