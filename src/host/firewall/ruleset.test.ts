import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rulesetText, tableName } from './ruleset.ts';

const network = { bridge: 'gantry0', subnet: '172.17.0.0/16', gateway: '172.17.0.1' };
const mapping = { hostIp: '0.0.0.0', hostPort: 8080, protocol: 'tcp', address: '172.17.0.2', port: 80 } as const;

test('the whole ruleset is replaced in one transaction, ports included', () => {
  const text = rulesetText('gantry_x', [network], [mapping, { ...mapping, hostIp: '127.0.0.1', hostPort: 81 }]);
  assert.ok(text.startsWith('table inet gantry_x\ndelete table inet gantry_x\ntable inet gantry_x {\n'));
  assert.match(text, /map published \{[^}]*elements = \{ tcp \. 8080 : 172\.17\.0\.2 \. 80 \}/);
  assert.match(text, /map published_at \{[^}]*elements = \{ 127\.0\.0\.1 \. tcp \. 81 : 172\.17\.0\.2 \. 80 \}/);
});

test('what comes in by the bridge is sorted before what may leave by it, so bridges stay apart', () => {
  const other = { bridge: 'gantry1', subnet: '172.18.0.0/16', gateway: '172.18.0.1' };
  const text = rulesetText('gantry_x', [network, other], []);
  const forwarded = text.slice(text.indexOf('chain forwarded'));
  assert.ok(forwarded.indexOf('oifname "gantry1" drop') < forwarded.indexOf('\n    iifname "gantry0" accept'));
});

test('an instance’s name becomes a table’s', () => {
  assert.equal(tableName('run-gantry.2'), 'gantry_run_gantry_2');
});
