// Owns the proof that the layer check sees what it is for, on planted faults.

import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { check, importsOf, picture, withPicture } from './layers.ts';

const LAYERS = { 'src/lib': [], 'src/spec': ['src/lib'], 'src/engine': ['src/lib', 'src/spec'] };

/** The complaints about a little tree of files. */
function complaintsAbout(files: Readonly<Record<string, string>>): string[] {
  const root = mkdtempSync(join(tmpdir(), 'gantry-layers-'));
  try {
    for (const [name, text] of Object.entries({ 'layers.json': JSON.stringify({ layers: LAYERS }), ...files })) {
      mkdirSync(dirname(join(root, name)), { recursive: true });
      writeFileSync(join(root, name), text);
    }
    return check(root).complaints;
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

test('a tree that keeps the rules passes', () => {
  const complaints = complaintsAbout({
    'src/lib/a.ts': 'export const a = 1;',
    'src/engine/one/index.ts': "import { a } from '../../lib/a.ts';\nimport type { Two } from '../two/types.ts';",
    'src/engine/two/types.ts': 'export type Two = 2;',
  });
  assert.deepEqual(complaints, []);
});

for (const [form, line] of Object.entries({
  'a static import': "import { x } from '../engine/x.ts';",
  'an import over several lines': "import {\n  x,\n  y,\n} from '../engine/x.ts';",
  'a type import': "import type { X } from '../engine/x.ts';",
  'a bare import': "import '../engine/x.ts';",
  'a re-export': "export * from '../engine/x.ts';",
  'a dynamic import': "const x = await import('../engine/x.ts');",
  'a worker': "new Worker(new URL('../engine/x.ts', import.meta.url));",
})) {
  test(`${form} up the layers is refused`, () => {
    const complaints = complaintsAbout({ 'src/lib/a.ts': line, 'src/engine/x.ts': 'export const x = 1, y = 2;' });
    assert.equal(complaints.length, 1);
    assert.match(complaints[0] ?? '', /^src\/lib\/a\.ts:1: src\/lib may not import src\/engine/);
  });
}

test('an import in a comment is none', () => {
  assert.deepEqual(importsOf('src/lib/a.ts', "// import '../engine/x.ts';\n/* import '../engine/y.ts'; */"), []);
});

test('reaching past the face of a sibling is refused', () => {
  const complaints = complaintsAbout({
    'src/engine/one/index.ts': "import { plan } from '../two/plan.ts';",
    'src/engine/two/plan.ts': 'export const plan = 1;',
  });
  assert.match(complaints.join(), /reaches into two past its index\.ts/);
});

test('a cycle between files is refused, one of types or of a file loaded later is not', () => {
  const cycle = (keyword: string) => ({
    'src/lib/a.ts': "import { b } from './b.ts';\nexport const a = 1;",
    'src/lib/b.ts': `${keyword} { a } from './a.ts';\nexport const b = 1;`,
  });
  assert.match(
    complaintsAbout(cycle('import')).join(),
    /import cycle: src\/lib\/a\.ts → src\/lib\/b\.ts → src\/lib\/a\.ts/,
  );
  assert.deepEqual(complaintsAbout(cycle('import type')), []);
  const lazy = {
    'src/lib/a.ts': "export const load = () => import('./b.ts');",
    'src/lib/b.ts': "import { load } from './a.ts';",
  };
  assert.deepEqual(complaintsAbout(lazy), []);
});

test('a file outside all layers is refused', () => {
  const complaints = complaintsAbout({ 'src/lib/a.ts': "import '../odd/b.ts';", 'src/odd/b.ts': '' });
  assert.deepEqual(complaints, ['src/lib/a.ts:1: src/odd/b.ts is in no layer', 'src/odd/b.ts is in no layer']);
});

test('a check that scanned nothing fails', () => {
  assert.match(complaintsAbout({ 'src/readme.md': '' }).join(), /scanned nothing/);
});

test('the picture leaves out implied edges and keeps its place in the page', () => {
  assert.equal(picture(LAYERS).includes('engine --> lib'), false);
  const page = withPicture('# Page\n', LAYERS);
  assert.equal(withPicture(page, LAYERS), page);
});
