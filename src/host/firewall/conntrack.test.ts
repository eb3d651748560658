import assert from 'node:assert/strict';
import { test } from 'node:test';
import { attribute, encodeAttributes } from '../netlink/wire.ts';
import { parseFlow } from './conntrack.ts';
import { parseForwardDrop } from './foreign-drops.ts';

function tuple(source: readonly number[], destination: readonly number[], port: number) {
  return [
    attribute(1, [attribute(1, Uint8Array.from(source)), attribute(2, Uint8Array.from(destination))]),
    attribute(2, [attribute(1, Uint8Array.of(17)), attribute(3, Uint8Array.of(port >> 8, port & 255))]),
  ];
}

function received(type: number, header: readonly number[], attributes: Parameters<typeof encodeAttributes>[0]) {
  return { type, flags: 0, sequence: 1, body: Buffer.concat([Uint8Array.from(header), encodeAttributes(attributes)]) };
}

test('a translated connection is read with both its ends', () => {
  const begun = attribute(1, tuple([198, 18, 0, 2], [198, 18, 0, 1], 5353));
  const answered = attribute(2, tuple([172, 17, 0, 2], [198, 18, 0, 2], 40000));
  const flow = { source: '198.18.0.2', destination: '198.18.0.1', port: 5353, protocol: 17, answerer: '172.17.0.2' };
  assert.deepEqual(parseFlow(received(0x100, [2, 0, 0, 0], [begun, answered])), flow);
  assert.equal(parseFlow(received(0x100, [10, 0, 0, 0], [begun, answered])), undefined, 'IPv6 is not ours');
  assert.equal(parseFlow(received(0x100, [2, 0, 0, 0], [begun])), undefined);
});

test('only base chains of hook forward with policy drop are named', () => {
  const u32 = (value: number) => Uint8Array.of(0, 0, 0, value);
  const chain = (hook: number, policy: number) => [
    attribute(1, Buffer.from('filter\0')),
    attribute(3, Buffer.from('FORWARD\0')),
    attribute(4, [attribute(1, u32(hook))]),
    attribute(5, u32(policy)),
  ];
  const drop = { family: 'ip', table: 'filter', chain: 'FORWARD' };
  assert.deepEqual(parseForwardDrop(received(0xa03, [2, 0, 0, 0], chain(2, 0))), drop);
  assert.equal(parseForwardDrop(received(0xa03, [2, 0, 0, 0], chain(2, 1))), undefined, 'policy accept');
  assert.equal(parseForwardDrop(received(0xa03, [2, 0, 0, 0], chain(1, 0))), undefined, 'hook input');
  assert.equal(parseForwardDrop(received(0xa03, [10, 0, 0, 0], chain(2, 0))), undefined, 'IPv6');
  assert.equal(parseForwardDrop(received(0xa03, [2, 0, 0, 0], chain(2, 0).slice(0, 2))), undefined, 'no base chain');
});
