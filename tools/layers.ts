// Owns the check of layers.json against every import of src/: forbidden edges, reaching past a sibling's face, cycles, and a
// picture of the layers in docs/architecture.md. Changes no code.
// Usage: layers.ts [--draw | --check-picture] [root]

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { sourcesUnder } from './source-files.ts';

/** Folder → the folders that it may import. */
export type Layers = Readonly<Record<string, readonly string[]>>;

/** One import: `from` and `to` are paths relative to the root, `line` counts from 1. */
export interface Edge {
  readonly from: string;
  readonly to: string;
  readonly line: number;
  /** True for types, which are gone when the program runs, and for files loaded later: these may close a cycle. */
  readonly deferred: boolean;
}

/** Folders whose children are siblings that use each other through a face only. */
const HOUSES = ['src/engine', 'src/api/routes', 'src/registry'];
const FACES = new Set(['index.ts', 'types.ts', 'types.gen.ts']);
const IMPORT =
  /\b(?<keyword>import|export)\s+(?<type>type\s+)?(?:[\w*{][^;'"`]*?\s+from\s+)?(?<q>['"])(?<a>\.[^'"\n]+)\k<q>|\bimport\(\s*(?<q2>['"])(?<b>\.[^'"\n]+)\k<q2>\s*\)|\bnew URL\(\s*(?<q3>['"])(?<c>\.[^'"\n]+)\k<q3>\s*,\s*import\.meta\.url/g;

/** Comments blanked out, with lines and columns kept; strings stay. */
function withoutComments(text: string): string {
  const token = /\/\*[\s\S]*?\*\/|\/\/[^\n]*|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`/g;
  return text.replace(token, (found) => (found.startsWith('/') ? found.replace(/[^\n]/g, ' ') : found));
}

/** Every relative import of one file: static, type-only, re-export, dynamic, `new URL('./x', import.meta.url)`. */
export function importsOf(from: string, text: string): Edge[] {
  const clean = withoutComments(text);
  return [...clean.matchAll(IMPORT)].map((match) => {
    const { type, a, b, c } = match.groups ?? {};
    const to = join(dirname(from), a ?? b ?? c ?? '');
    return {
      from,
      to,
      line: clean.slice(0, match.index).split('\n').length,
      deferred: type !== undefined || a === undefined,
    };
  });
}

const isInside = (path: string, folder: string) => path === folder || path.startsWith(`${folder}/`);
const layerOf = (path: string, layers: Layers) => Object.keys(layers).find((folder) => isInside(path, folder));

/** The sibling's name when `edge` goes from one child of a house into another past its face. */
function reachedPast(edge: Edge): string | undefined {
  for (const house of HOUSES) {
    if (!isInside(edge.from, house) || !isInside(edge.to, house)) continue;
    const [mine, ...rest] = relative(house, edge.from).split('/');
    const [theirs, ...inner] = relative(house, edge.to).split('/');
    const isSibling = rest.length > 0 && inner.length > 0 && mine !== theirs;
    if (isSibling && !(inner.length === 1 && FACES.has(inner[0] ?? ''))) return theirs;
  }
  return undefined;
}

/** What is wrong with one edge, or undefined. */
function complaintOf(edge: Edge, layers: Layers): string | undefined {
  const mine = layerOf(edge.from, layers);
  const theirs = layerOf(edge.to, layers);
  const where = `${edge.from}:${edge.line}`;
  if (mine === undefined) return undefined;
  if (theirs !== undefined && mine !== theirs && !layers[mine]?.includes(theirs)) {
    return `${where}: ${mine} may not import ${theirs} (${edge.to})`;
  }
  if (theirs === undefined && /\.[cm]?[jt]s$/.test(edge.to)) return `${where}: ${edge.to} is in no layer`;
  const sibling = reachedPast(edge);
  return sibling && `${where}: reaches into ${sibling} past its index.ts or types.ts (${edge.to})`;
}

/** Each import cycle between files, as a path that ends where it began. Types and files loaded later do not count. */
export function cyclesOf(edges: readonly Edge[]): string[][] {
  const next = new Map<string, string[]>();
  for (const edge of edges) if (!edge.deferred) next.set(edge.from, [...(next.get(edge.from) ?? []), edge.to]);
  const settled = new Set<string>();
  const cycles: string[][] = [];
  const visit = (file: string, path: string[]) => {
    const at = path.indexOf(file);
    if (at >= 0) cycles.push([...path.slice(at), file]);
    if (at >= 0 || settled.has(file)) return;
    for (const to of next.get(file) ?? []) visit(to, [...path, file]);
    settled.add(file);
  };
  for (const file of next.keys()) visit(file, []);
  return cycles;
}

/** All complaints about the source under `root`, in file order; one of them when there was nothing to look at. */
export function check(root: string): { files: number; edges: Edge[]; complaints: string[] } {
  const layers = (JSON.parse(readFileSync(join(root, 'layers.json'), 'utf8')) as { layers: Layers }).layers;
  const files = [...sourcesUnder(join(root, 'src'))];
  const edges = files.flatMap((path) => importsOf(relative(root, path), readFileSync(path, 'utf8')));
  const complaints = edges.map((edge) => complaintOf(edge, layers)).filter((text) => text !== undefined && text !== '');
  for (const path of files) {
    const name = relative(root, path);
    if (layerOf(name, layers) === undefined && name !== 'src/index.ts') complaints.push(`${name} is in no layer`);
  }
  for (const cycle of cyclesOf(edges)) complaints.push(`import cycle: ${cycle.join(' → ')}`);
  if (files.length === 0 || edges.length === 0) complaints.push('the layer check scanned nothing: is the root right?');
  return { files: files.length, edges, complaints: complaints as string[] };
}

/** The layers as a Mermaid graph, without the edges that a longer way implies. */
export function picture(layers: Layers): string {
  const reaches = (from: string, to: string): boolean =>
    (layers[from] ?? []).some((mid) => mid !== to && (layers[mid]?.includes(to) || reaches(mid, to)));
  const short = (folder: string) => folder.replace('src/', '');
  const lines = Object.entries(layers).flatMap(([from, tos]) =>
    tos.filter((to) => !reaches(from, to)).map((to) => `      ${short(from)} --> ${short(to)}`),
  );
  return ['    graph TD', ...lines].join('\n').replace(/^ {4}/gm, '');
}

const BEGIN = '<!-- layers: drawn by tools/layers.ts --draw, do not edit -->';
const END = '<!-- /layers -->';

/** The text of architecture.md with the present picture in it; appended when it has no place yet. */
export function withPicture(text: string, layers: Layers): string {
  const block = `${BEGIN}\n\`\`\`mermaid\n${picture(layers)}\n\`\`\`\n${END}`;
  const from = text.indexOf(BEGIN);
  if (from < 0) return `${text.trimEnd()}\n\n## The layers\n\n${block}\n`;
  return text.slice(0, from) + block + text.slice(text.indexOf(END) + END.length);
}

function main(args: readonly string[]): number {
  const root = resolve(args.find((arg) => !arg.startsWith('-')) ?? fileURLToPath(new URL('..', import.meta.url)));
  const { files, edges, complaints } = check(root);
  const page = join(root, 'docs', 'architecture.md');
  const layers = (JSON.parse(readFileSync(join(root, 'layers.json'), 'utf8')) as { layers: Layers }).layers;
  const before = existsSync(page) ? readFileSync(page, 'utf8') : undefined;
  const after = before === undefined ? undefined : withPicture(before, layers);
  if (args.includes('--draw') && after !== undefined) writeFileSync(page, after);
  else if (before !== after) complaints.push('docs/architecture.md shows old layers: run tools/layers.ts --draw');
  for (const complaint of complaints) process.stderr.write(`${complaint}\n`);
  process.stdout.write(`layers: ${files} files, ${edges.length} imports, ${complaints.length} complaints\n`);
  return complaints.length === 0 ? 0 : 1;
}

if (import.meta.main) process.exitCode = main(process.argv.slice(2));
