import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AddressPool, chooseSubnet, DEFAULT_ADDRESS_POOLS, formatSubnet, overlap, parseCidr } from './addresses.ts';

const subnet = (text: string) => parseCidr(text).subnet;

test('an address with its prefix gives the block around it', () => {
  const { address, subnet } = parseCidr('172.17.9.1/16');
  assert.equal(address, '172.17.9.1');
  assert.equal(formatSubnet(subnet), '172.17.0.0/16');
  for (const bad of ['', '1.2.3.4', '1.2.3.4/33', '::1/64', '1.2.3/8', '1.2.3.4/x']) {
    assert.throws(() => parseCidr(bad), { code: 'INVALID_CIDR' }, bad);
  }
});

test('the first block of Docker’s pools that nothing on the host uses is chosen', () => {
  const choose = (...used: string[]) => formatSubnet(chooseSubnet(DEFAULT_ADDRESS_POOLS, used.map(subnet)));
  assert.equal(choose(), '172.17.0.0/16');
  assert.equal(choose('172.17.5.0/24'), '172.18.0.0/16');
  assert.equal(choose('172.16.0.0/12'), '192.168.0.0/20');
  assert.equal(choose('172.16.0.0/12', '192.168.3.1/32'), '192.168.16.0/20');
  assert.throws(() => choose('172.16.0.0/12', '192.168.0.0/16'), { code: 'NO_FREE_SUBNET' });
  assert.ok(overlap(subnet('10.0.0.0/8'), subnet('10.255.0.0/16')));
  assert.ok(!overlap(subnet('10.0.0.0/9'), subnet('10.128.0.0/9')));
});

test('the lowest free address is given; gateway, network and broadcast address never are', () => {
  const pool = new AddressPool(subnet('10.0.0.0/29'), ['10.0.0.1']);
  const given = Array.from({ length: 6 }, (_, i) => pool.allocate(`c${i}`));
  assert.deepEqual(given, ['10.0.0.2', '10.0.0.3', '10.0.0.4', '10.0.0.5', '10.0.0.6', undefined]);
  pool.release('10.0.0.4');
  assert.equal(pool.allocate('d'), '10.0.0.4');
});

test('a resting address waits for its owner, or for the end of its rest', () => {
  const pool = new AddressPool(subnet('10.0.0.0/24'), ['10.0.0.1']);
  assert.equal(pool.allocate('a'), '10.0.0.2');
  pool.rest('10.0.0.2', 'a');
  assert.equal(pool.allocate('b'), '10.0.0.3');
  assert.equal(pool.allocate('a'), '10.0.0.2');
  pool.free('10.0.0.2');
  assert.equal(pool.allocate('c'), '10.0.0.4', 'an address that was taken again is not freed by the end of its rest');
  pool.rest('10.0.0.3', 'b');
  pool.free('10.0.0.3');
  assert.equal(pool.allocate('d'), '10.0.0.3');
});

test('when nothing else is left, the address that rested longest is given', () => {
  const pool = new AddressPool(subnet('10.0.0.0/29'), ['10.0.0.1']);
  for (const owner of 'abcde') pool.allocate(owner);
  pool.rest('10.0.0.5', 'd');
  pool.rest('10.0.0.2', 'a');
  assert.equal(pool.allocate('new'), '10.0.0.5');
});

test('adopted addresses are not given again, also after the network’s first and last', () => {
  const pool = new AddressPool(subnet('10.0.0.0/30'), ['10.0.0.1']);
  pool.adopt('10.0.0.2');
  assert.equal(pool.allocate('a'), undefined);
  assert.equal(new AddressPool(subnet('10.0.0.0/31'), ['10.0.0.0']).allocate('a'), '10.0.0.1');
});
