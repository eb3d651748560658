// Owns the answer to system calls that are newer than a seccomp profile: "no such call", so that programs fall back. Pure.
//
// A profile that refuses what it does not list answers EPERM, which programs take for the last word. runc puts a check before
// the compiled filter; crun does not, so that it is put there here. @source runc 1.1 libcontainer/seccomp/patchbpf; seccomp(2)

/** One instruction of classic BPF. */
interface Instruction {
  readonly code: number;
  readonly jt: number;
  readonly jf: number;
  readonly k: number;
}

const SIZE = 8;
const MOST_INSTRUCTIONS = 4096;
/** @source linux/bpf_common.h */
const LOAD_WORD = 0x20;
const AND = 0x54;
const JUMP = 0x05;
const JUMP_EQUAL = 0x15;
const JUMP_GREATER = 0x25;
const JUMP_GREATER_EQUAL = 0x35;
const JUMP_SET = 0x45;
const RETURN = 0x06;
/** Offsets in struct seccomp_data. */
const NUMBER = 0;
const ARCHITECTURE = 4;
/** SECCOMP_RET_ERRNO with ENOSYS. */
const NO_SUCH_CALL = 0x00050000 | 38;
/** Of a call by the x32 convention, which shares its architecture with x86-64. */
const X32_BIT = 0x40000000;
/** Well above every call that there is: 470 in Linux 6.18. */
const CALLS = 640;

/** @source linux/audit.h */
const AUDIT: ReadonlyMap<string, number> = new Map([
  ['SCMP_ARCH_X86', 0x40000003],
  ['SCMP_ARCH_X86_64', 0xc000003e],
  ['SCMP_ARCH_X32', 0xc000003e],
  ['SCMP_ARCH_ARM', 0x40000028],
  ['SCMP_ARCH_AARCH64', 0xc00000b7],
  ['SCMP_ARCH_PPC64LE', 0xc0000015],
  ['SCMP_ARCH_S390', 0x00000016],
  ['SCMP_ARCH_S390X', 0x80000016],
  ['SCMP_ARCH_RISCV64', 0xc00000f3],
]);

/**
 * The compiled filter with the check before it. A call above the highest that the filter knows of its architecture is answered
 * by ENOSYS; all others as before. The filter as it is, when it holds what is not understood here, or would grow too long.
 */
export function withNoSuchCall(filter: Buffer, architectures: readonly string[]): Buffer {
  const program = decode(filter);
  const check: Instruction[] = [{ code: LOAD_WORD, jt: 0, jf: 0, k: ARCHITECTURE }];
  for (const audit of new Set(architectures.map((name) => AUDIT.get(name)))) {
    if (audit === undefined) continue;
    const names = architectures.filter((name) => AUDIT.get(name) === audit);
    const plain = names.some((name) => name !== 'SCMP_ARCH_X32') ? highest(program, audit, 0) : -1;
    const x32 = names.includes('SCMP_ARCH_X32') ? highest(program, audit, X32_BIT) : -1;
    const block = blockOf(plain, x32);
    check.push({ code: JUMP_EQUAL, jt: 0, jf: block.length, k: audit }, ...block);
  }
  // Blocks end by a jump behind the last of them, where the filter begins.
  const resolved = check.map((each, at) => (each.code === JUMP ? { ...each, k: check.length - at - 1 } : each));
  const whole = [...resolved, ...program];
  return check.length === 1 || whole.length > MOST_INSTRUCTIONS ? filter : encode(whole);
}

function blockOf(plain: number, x32: number): readonly Instruction[] {
  const above = (last: number): readonly Instruction[] =>
    last < 0
      ? []
      : [
          { code: JUMP_GREATER, jt: 0, jf: 1, k: last },
          { code: RETURN, jt: 0, jf: 0, k: NO_SUCH_CALL },
        ];
  const end = { code: JUMP, jt: 0, jf: 0, k: 0 };
  const first = [...above(plain), end];
  return [
    { code: LOAD_WORD, jt: 0, jf: 0, k: NUMBER },
    { code: JUMP_GREATER_EQUAL, jt: first.length, jf: 0, k: X32_BIT },
    ...first,
    ...above(x32 < 0 ? x32 : X32_BIT + x32),
    end,
  ];
}

/** The highest call that the filter treats otherwise than an unknown one; -1 when there is none, or it cannot be found out. */
function highest(program: readonly Instruction[], audit: number, bit: number): number {
  const unknown = run(program, audit, bit + CALLS);
  for (let call = CALLS - 1; call >= 0; call--) {
    const answer = run(program, audit, bit + call);
    if (answer === undefined || unknown === undefined) return -1;
    if (answer !== unknown) return call;
  }
  return -1;
}

/** What the filter answers to a call whose arguments are all 0; undefined for instructions that libseccomp does not make. */
function run(program: readonly Instruction[], audit: number, call: number): number | undefined {
  let word = 0;
  for (let at = 0; at < program.length; at++) {
    const { code, jt, jf, k } = program[at] as Instruction;
    if (code === RETURN) return k;
    if (code === LOAD_WORD) word = k === NUMBER ? call : k === ARCHITECTURE ? audit : 0;
    else if (code === AND) word = (word & k) >>> 0;
    else if (code === JUMP) at += k;
    else {
      const holds = test(code, word, k);
      if (holds === undefined) return undefined;
      at += holds ? jt : jf;
    }
  }
  return undefined;
}

function test(code: number, word: number, k: number): boolean | undefined {
  if (code === JUMP_EQUAL) return word === k;
  if (code === JUMP_GREATER) return word > k;
  if (code === JUMP_GREATER_EQUAL) return word >= k;
  return code === JUMP_SET ? (word & k) !== 0 : undefined;
}

/** In the byte order of this machine, as the kernel takes it; all that Node runs on is little-endian but s390x. */
function decode(filter: Buffer): readonly Instruction[] {
  const view = new DataView(filter.buffer, filter.byteOffset, filter.length);
  return Array.from({ length: filter.length / SIZE }, (_, index) => ({
    code: view.getUint16(index * SIZE, LITTLE),
    jt: view.getUint8(index * SIZE + 2),
    jf: view.getUint8(index * SIZE + 3),
    k: view.getUint32(index * SIZE + 4, LITTLE),
  }));
}

function encode(program: readonly Instruction[]): Buffer {
  const bytes = Buffer.alloc(program.length * SIZE);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (const [index, { code, jt, jf, k }] of program.entries()) {
    view.setUint16(index * SIZE, code, LITTLE);
    view.setUint8(index * SIZE + 2, jt);
    view.setUint8(index * SIZE + 3, jf);
    view.setUint32(index * SIZE + 4, k, LITTLE);
  }
  return bytes;
}

const LITTLE = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;
