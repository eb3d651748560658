import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeMessages } from '../netlink/wire.ts';
import { elementTransaction } from './elements.ts';
import { mappingElement } from './ruleset.ts';

const anywhere = { hostIp: '0.0.0.0', hostPort: 81, protocol: 'udp', address: '10.0.0.2', port: 81 } as const;

test('a published port is the element that nft itself would send', () => {
  // @source `nft --debug=all add element inet gantry_t1 published { udp . 81 : 10.0.0.2 . 81 }`, nft 1.0.6
  const list =
    '01000000' + // inet
    '0e00 0100 67616e7472795f743100 0000' + // table "gantry_t1"
    '0e00 0200 7075626c697368656400 0000' + // set "published"
    '2800 0380 2400 0180' +
    '1000 0180 0c00 0100 11000000 00510000' + // udp . 81
    '1000 0280 0c00 0100 0a000002 00510000'; // 10.0.0.2 . 81
  const bytes = encodeMessages(elementTransaction('add', 'gantry_t1', [mappingElement(anywhere)]), 0).toString('hex');
  assert.ok(bytes.includes(list.replaceAll(' ', '')), bytes);
  assert.ok(
    bytes.startsWith('1400000010000100000000000000000000 00000a'.replaceAll(' ', '')),
    'BATCH_BEGIN for nf_tables',
  );
});

test('elements of both maps go in one transaction, one message a map', () => {
  const there = { ...anywhere, hostIp: '127.0.0.1' };
  const messages = elementTransaction(
    'delete',
    't',
    [anywhere, there, { ...anywhere, hostPort: 82 }].map(mappingElement),
  );
  assert.deepEqual(
    messages.map(({ type }) => type),
    [16, 0xa0e, 0xa0e, 17],
  );
});
