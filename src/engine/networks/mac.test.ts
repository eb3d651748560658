import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkedMac, randomMac } from './mac.ts';

test('a container’s random MAC address is nobody’s maker’s and no group’s', () => {
  for (let n = 0; n < 200; n++) {
    const mac = randomMac();
    assert.match(mac, /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/);
    assert.equal(Number.parseInt(mac.slice(0, 2), 16) & 0b11, 0b10, mac);
  }
  assert.notEqual(randomMac(), randomMac());
});

test('a given MAC address is taken in the usual spellings', () => {
  for (const [given, wanted] of [
    ['02:42:ac:11:00:02', '02:42:ac:11:00:02'],
    ['02-42-AC-11-00-02', '02:42:ac:11:00:02'],
  ] as const) {
    assert.equal(checkedMac(given), wanted);
  }
});

test('what is no MAC address of one machine is refused by its name', () => {
  const groups = ['01:00:5e:00:00:01', 'ff:ff:ff:ff:ff:ff'];
  const none = [
    '',
    '02:42:ac:11:00',
    '02:42:ac:11:00:02:03',
    '2:42:ac:11:0:2',
    '02:42:ac:11:00:0g',
    ' 02:42:ac:11:00:02',
  ];
  for (const mac of [...groups, ...none, '02:42:ac:11:00:02\n']) {
    assert.throws(() => checkedMac(mac), {
      kind: 'invalid',
      code: 'INVALID_MAC',
      message: `invalid MAC address: ${mac}`,
    });
  }
});
