import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  ipv4Bytes,
  macBytes,
  newAddress,
  newDefaultRoute,
  newVeth,
  parseAddress,
  parseLink,
  parseRoute,
} from './route-messages.ts';
import { decodeMessages, encodeMessages, type Message, type Received } from './wire.ts';

function received(message: Message): Received {
  const [out] = decodeMessages(encodeMessages([message], 1));
  assert.ok(out);
  return out;
}

test('an address carries its broadcast address, a point-to-point one does not', () => {
  const wide = received(newAddress(7, '172.17.0.2', 16));
  assert.deepEqual(parseAddress(wide), { linkIndex: 7, address: '172.17.0.2', prefixLength: 16 });
  assert.ok(wide.body.includes(Buffer.from([172, 17, 255, 255])));
  assert.equal(received(newAddress(7, '10.0.0.1', 31)).body.length, 8 + 2 * 8);
});

test('a default route has no destination', () => {
  const route = received(newDefaultRoute(3, '172.17.0.1'));
  assert.deepEqual(parseRoute(route), { linkIndex: 3, destination: '0.0.0.0', prefixLength: 0 });
});

test('a link pair is born in its bridge and its namespace by one message', () => {
  const peer = { name: 'eth0', mac: '02:00:00:00:00:01', namespaceFd: 21 };
  const link = received(newVeth({ name: 'veth1', master: 5, mtu: 1400, peer }));
  const parsed = parseLink(link);
  assert.equal(parsed?.name, 'veth1');
  assert.equal(parsed?.master, 5);
  assert.equal(parsed?.mtu, 1400);
  assert.equal(parsed?.kind, 'veth');
  assert.equal(parsed?.up, true);
  assert.ok(link.body.includes(macBytes(peer.mac)));
  assert.ok(link.body.includes(Buffer.from([8, 0, 28, 0, 21, 0, 0, 0])), 'IFLA_NET_NS_FD');
});

test('texts that are no address are refused', () => {
  for (const bad of ['', '1.2.3', '1.2.3.4.5', '1.2.3.256', '1.2.3.-4', 'a.b.c.d', '1.2.3.4 ']) {
    assert.throws(() => ipv4Bytes(bad), RangeError, bad);
  }
  for (const bad of ['', '02:00:00:00:00', '02:00:00:00:00:0g', '020000000001']) {
    assert.throws(() => macBytes(bad), RangeError, bad);
  }
});
