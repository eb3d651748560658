// Checks that a layer on disk that is not what was unpacked is found out, and that one that is gets no blame.

import assert from 'node:assert/strict';
import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { test } from 'node:test';
import { damageOf } from './check.ts';
import { openPlace, ownTar, type Place } from './testing/unpack-here.ts';

const TAR = ownTar(
  { name: 'd/', type: 'directory', mode: 0o755 },
  { name: 'd/f', data: 'content' },
  { name: 'd/empty' },
  { name: 's', type: 'symlink', linkName: 'd/f' },
  { name: 'twice', data: 'first' },
  { name: 'twice', data: 'second' },
  { name: '.wh.hidden' },
);

/** What is found wrong with the layer after `harm`. */
async function damageAfter(harm: (place: Place) => void): Promise<string | undefined> {
  using place = openPlace();
  const result = await place.unpack(TAR);
  harm(place);
  const { replaced, plainHex, plainBytes } = result;
  return await damageOf({ target: place.target, replaced, plainHex, plainBytes }, () => {});
}

const NO_HARM: Readonly<Record<string, (place: Place) => void>> = {
  'nobody touched': () => {},
  'was read': (place) => readFileSync(place.at('d/f')),
  'has other times, as a restored backup has': (place) => utimesSync(place.at('d/f'), 5, 5),
  'has a file that was written again with the same content': (place) => writeFileSync(place.at('d/f'), 'content'),
};

for (const [what, harm] of Object.entries(NO_HARM)) {
  test(`a layer that ${what} is whole`, async () => assert.equal(await damageAfter(harm), undefined));
}

/** Harms, and what is said of them. */
const HARMS: readonly (readonly [string, (place: Place) => void, RegExp])[] = [
  ['other content of the same length', (p) => writeFileSync(p.at('d/f'), 'CONTENT'), /other content/],
  ['a longer file', (p) => appendFileSync(p.at('d/f'), '!'), /d\/f is not what it was/],
  ['a shorter file', (p) => truncateSync(p.at('d/f'), 2), /d\/f is shorter than it was/],
  ['another mode', (p) => chmodSync(p.at('d/f'), 0o777), /d\/f is not what it was/],
  ['a file gone', (p) => rmSync(p.at('d/f')), /d\/f is gone/],
  ['an empty file gone', (p) => rmSync(p.at('d/empty')), /d\/empty is gone/],
  ['a folder gone', (p) => rmSync(p.at('d'), { recursive: true }), /gone/],
  [
    'a file in the place of a folder',
    (p) => swap(p.at('d'), (path) => writeFileSync(path, '')),
    /gone|not what it was/,
  ],
  ['a folder in the place of a file', (p) => swap(p.at('d/empty'), (path) => mkdirSync(path)), /d\/empty is not what/],
  [
    'another target of a symlink',
    (p) => swap(p.at('s'), (path) => symlinkSync('/etc/passwd', path)),
    /s is not what it was/,
  ],
  [
    'other content of a file that was replaced',
    (p) => writeFileSync(`${p.target.replaced}/0`, 'FIRST'),
    /other content/,
  ],
  ['its folder gone', (p) => rmSync(p.target.directory, { recursive: true }), /the folder .*layer is gone/],
  ['its folder moved away', (p) => renameSync(p.target.directory, `${p.target.directory}-x`), /the folder .* is gone/],
  ['its replaced files gone', (p) => rmSync(p.target.replaced, { recursive: true }), /the folder .*replaced is gone/],
  ['its skeleton gone', (p) => rmSync(p.target.skeleton), /skeleton is gone/],
  ['its skeleton cut', (p) => truncateSync(p.target.skeleton, 20), /skeleton/],
  ['its skeleton emptied', (p) => truncateSync(p.target.skeleton, 0), /another length|other content/],
];

function swap(path: string, make: (path: string) => void): void {
  rmSync(path, { recursive: true });
  make(path);
}

for (const [what, harm, words] of HARMS) {
  test(`a layer with ${what} is told as damaged, in words`, async () => {
    assert.match((await damageAfter(harm)) ?? 'nothing', words);
  });
}

test('a layer that was found whole by its content need not be read again', async () => {
  using place = openPlace();
  const { replaced, plainHex, plainBytes } = await place.unpack(TAR);
  const request = { target: place.target, replaced, plainHex, plainBytes };
  utimesSync(place.at('d/f'), 5, 5);
  const before = statSync(place.target.skeleton).ctimeMs;
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal(await damageOf(request, () => {}), undefined);
  const after = statSync(place.target.skeleton).ctimeMs;
  assert.ok(after > before, 'from now on the times tell again');
  assert.equal(await damageOf(request, () => {}), undefined);
  assert.equal(statSync(place.target.skeleton).ctimeMs, after);
});
