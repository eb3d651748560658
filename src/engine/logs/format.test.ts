import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isPast, type LineOptions, renderLines } from './format.ts';

const OPTIONS: LineOptions = { stdout: true, stderr: true, timestamps: false, details: false, tty: true };
const TIME = '2024-01-02T03:04:05.6Z';
const nano = (text: string): bigint => BigInt(Date.parse(text)) * 1_000_000n;

function line(log: string, rest: Readonly<Record<string, unknown>> = {}): string {
  return `${JSON.stringify({ log, stream: 'stdout', time: TIME, ...rest })}\n`;
}
const text = (stored: string, options: Partial<LineOptions> = {}): string =>
  renderLines(stored, { ...OPTIONS, ...options }).toString();

/** Docker's frames taken apart. */
function frames(bytes: Buffer): [number, string][] {
  const found: [number, string][] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = bytes.readUInt32BE(at + 4);
    found.push([bytes.readUInt32BE(at) >>> 24, bytes.toString('utf8', at + 8, at + 8 + length)]);
    at += 8 + length;
  }
  return found;
}

test('docker logs tells the two streams apart, and a length counts bytes', () => {
  const stored = line('out ä€😀\n') + line('err\n', { stream: 'stderr' }) + line('');
  assert.deepEqual(frames(renderLines(stored, { ...OPTIONS, tty: false })), [
    [1, 'out ä€😀\n'],
    [2, 'err\n'],
    [1, ''],
  ]);
});

test('any text fits its frame, however much longer it gets by timestamps, details and wide characters', () => {
  const attrs = Object.fromEntries(Array.from({ length: 40 }, (_, n) => [`klöße ${n}`, '€'.repeat(30)]));
  const stored = (line('€'.repeat(5000), { attrs }) + line('x\n', { attrs })).repeat(20);
  const found = frames(renderLines(stored, { ...OPTIONS, tty: false, timestamps: true, details: true }));
  assert.equal(found.length, 40);
  assert.ok(
    found.every(
      ([stream, body]) => stream === 1 && body.startsWith('2024-01-02T03:04:05.600000000Z kl%C3%B6%C3%9Fe+0='),
    ),
  );
  assert.ok(found[0]?.[1].endsWith('€'.repeat(5000)));
});

test('a line whose labels take up all the room that was planned keeps its own text', () => {
  const log = '€'.repeat(2000);
  const stored = line(log, { attrs: { k: '€'.repeat(400) } });
  assert.ok(text(stored, { details: true }).endsWith(` ${log}`));
});

test('control characters that a program printed arrive as they were', () => {
  const printed = '\u001b[31mred\u001b[0m\t\0\\"\r\n';
  assert.equal(text(line(printed)), printed);
});

test('a line that a power cut tore, or that somebody else wrote, hides no other line', () => {
  const bad = ['{"log":"torn', '', 'null', '42', '[]', '{}', '{"log":1,"time":"x"}', '{"log":"no time"}', '\0\0\0'];
  for (const broken of bad) assert.equal(text(`${line('a\n')}${broken}\n${line('b\n')}`), 'a\nb\n', broken);
});

test('what has no newline yet is not shown: it may be half a line', () => {
  assert.equal(text(`${line('a\n')}${line('b\n').slice(0, -1)}`), 'a\n');
});

test('only the streams that were asked for are shown', () => {
  const stored = line('out\n') + line('err\n', { stream: 'stderr' }) + line('old\n', { stream: undefined });
  for (const [stdout, stderr, wanted] of [
    [true, true, 'out\nerr\nold\n'],
    [true, false, 'out\nold\n'],
    [false, true, 'err\n'],
    [false, false, ''],
  ] as const) {
    assert.equal(text(stored, { stdout, stderr }), wanted);
  }
});

test('--since and --until take in lines of exactly that time; a line of unknown time is old', () => {
  const at = (second: number) => line(`${second}\n`, { time: `2024-01-02T03:04:0${second}Z` });
  const stored = at(1) + at(2) + at(3) + line('when?\n', { time: 'yesterday' });
  const second = (n: number) => nano(`2024-01-02T03:04:0${n}Z`);
  assert.equal(text(stored, { since: second(2) }), '2\n3\n');
  assert.equal(text(stored, { until: second(2) }), '1\n2\nwhen?\n');
  assert.equal(text(stored, { since: second(2), until: second(2) }), '2\n');
  assert.equal(text(stored, { since: second(2) + 1n }), '3\n');
});

test('--timestamps gives every line nine decimals, so that columns align', () => {
  for (const [time, wanted] of [
    ['2024-01-02T03:04:05Z', '2024-01-02T03:04:05.000000000Z'],
    ['2024-01-02T03:04:05.1Z', '2024-01-02T03:04:05.100000000Z'],
    ['2024-01-02T03:04:05.123456789Z', '2024-01-02T03:04:05.123456789Z'],
  ] as const) {
    assert.equal(text(line('x\n', { time }), { timestamps: true }), `${wanted} x\n`);
  }
});

test('--details shows labels and variables in order, escaped as Docker does', () => {
  for (const [attrs, wanted] of [
    [undefined, ' x\n'],
    [{}, ' x\n'],
    [{ b: '2', a: '1' }, 'a=1,b=2 x\n'],
    [{ 'a b': 'c,d=e&f' }, 'a+b=c%2Cd%3De%26f x\n'],
    [{ k: "!'()*~-_." }, 'k=%21%27%28%29%2A~-_. x\n'],
    [{ half: '\ud83d' }, 'half=%EF%BF%BD x\n'],
  ] as const) {
    assert.equal(text(line('x\n', attrs && { attrs }), { details: true }), wanted);
  }
});

test('reading ends when the last line is later than --until, and not before', () => {
  const until = nano('2024-01-02T03:04:05Z');
  const [before, at, after] = ['04', '05', '06'].map((s) => line('x\n', { time: `2024-01-02T03:04:${s}Z` }));
  for (const [stored, wanted] of [
    [`${before}`, false],
    [`${at}`, false],
    [`${after}`, true],
    [`${before}${after}`, true],
    [`${after}${before}`, false],
    [`${after}torn\n`, false],
    ['', false],
  ] as const) {
    assert.equal(isPast(stored, until), wanted, stored);
  }
});
