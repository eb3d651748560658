import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withNoSuchCall } from './enosys.ts';

const X86_64 = 0xc000003e;
const X86 = 0x40000003;
const ALLOW = 0x7fff0000;
const EPERM = 0x00050001;
const ENOSYS = 0x00050026;

type Row = readonly [code: number, jt: number, jf: number, k: number];

/** As libseccomp compiles "allow calls 0 and 5, refuse all others by EPERM" for x86-64, and 7 for x86. */
const FILTER: readonly Row[] = [
  [0x20, 0, 0, 4],
  [0x15, 0, 4, X86_64],
  [0x20, 0, 0, 0],
  [0x35, 6, 0, 0x40000000],
  [0x15, 6, 0, 0],
  [0x15, 5, 4, 5],
  [0x15, 0, 3, X86],
  [0x20, 0, 0, 0],
  [0x15, 2, 1, 7],
  [0x06, 0, 0, EPERM],
  [0x06, 0, 0, EPERM],
  [0x06, 0, 0, ALLOW],
];

function bytes(rows: readonly Row[]): Buffer {
  const out = Buffer.alloc(rows.length * 8);
  rows.forEach(([code, jt, jf, k], index) => {
    out.writeUInt16LE(code, index * 8);
    out.writeUInt8(jt, index * 8 + 2);
    out.writeUInt8(jf, index * 8 + 3);
    out.writeUInt32LE(k, index * 8 + 4);
  });
  return out;
}

/** A second reading of the rules of classic BPF, kept apart from the one that is tested. */
function ask(filter: Buffer, arch: number, call: number): number {
  let [at, word] = [0, 0];
  for (;;) {
    const [code, jt, jf, k] = [filter.readUInt16LE(at), filter[at + 2], filter[at + 3], filter.readUInt32LE(at + 4)];
    at += 8;
    if (code === 0x06) return k;
    if (code === 0x20) word = k === 0 ? call : k === 4 ? arch : 0;
    else if (code === 0x05) at += k * 8;
    else {
      const holds = code === 0x15 ? word === k : code === 0x25 ? word > k : word >= k;
      at += (holds ? (jt ?? 0) : (jf ?? 0)) * 8;
    }
  }
}

test('a system call that is newer than the profile does not exist; all others are answered as before', () => {
  const plain = bytes(FILTER);
  const filter = withNoSuchCall(plain, ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86', 'SCMP_ARCH_X32']);
  for (const arch of [X86_64, X86, 0x40000028]) {
    for (let call = 0; call <= 5; call++) assert.equal(ask(filter, arch, call), ask(plain, arch, call), `${call}`);
  }
  assert.equal(ask(filter, X86_64, 5), ALLOW);
  assert.equal(ask(filter, X86_64, 4), EPERM, 'known, and refused');
  for (const call of [6, 470, 10_000]) assert.equal(ask(filter, X86_64, call), ENOSYS, String(call));
  assert.equal(ask(filter, X86, 7), ALLOW);
  assert.equal(ask(filter, X86, 8), ENOSYS);
  assert.equal(ask(filter, X86_64, 0x40000000 + 9), EPERM, 'nothing is known of x32');
  assert.equal(ask(filter, 0x40000028, 9), EPERM, 'nor of other architectures');
});

test('a filter that is not understood stays as it is', () => {
  const odd = bytes([
    [0x20, 0, 0, 4],
    [0x87, 0, 0, 0],
    [0x06, 0, 0, ALLOW],
  ]);
  assert.deepEqual(ask(withNoSuchCall(bytes(FILTER), []), X86_64, 470), EPERM);
  const answered = withNoSuchCall(odd, ['SCMP_ARCH_X86_64']);
  assert.deepEqual(answered.subarray(-odd.length), odd);
  const long = bytes(Array.from({ length: 4096 }, (_, index) => (index === 4095 ? [6, 0, 0, ALLOW] : [0x20, 0, 0, 0])));
  assert.deepEqual(withNoSuchCall(long, ['SCMP_ARCH_X86_64']), long);
});
