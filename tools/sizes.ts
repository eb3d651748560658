// Owns the size budgets of the source: lines a file, lines a function, methods an interface. Tables and generated files have none.
// Usage: sizes.ts [root]

import { readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseSync } from 'oxc-parser';
import { sourcesUnder } from './source-files.ts';

/** The most that is allowed, and what a reader can still hold in mind. */
export const BUDGETS = { fileLines: 400, functionLines: 60, interfaceMethods: 10 } as const;

const FOLDERS = ['src', 'test', 'bench', 'tools'];
const EXEMPT = /\.(?:table|gen)\.ts$/;

/** A node of the tree, as far as it is looked at. */
interface TreeNode {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [key: string]: unknown;
}

const FUNCTIONS = new Set(['FunctionDeclaration', 'FunctionExpression', 'ArrowFunctionExpression']);

/** What of the file is over its budget, a line each. `test`: suites are functions, which may be as long as they like. */
export function oversized(path: string, text: string): string[] {
  const isTest = path.startsWith('test/') || /\.test\.(ts|mjs)$/.test(path);
  const found: string[] = [];
  const lines = text.split('\n').length - 1;
  if (lines > BUDGETS.fileLines) found.push(`${path}: ${lines} lines, ${BUDGETS.fileLines} at most`);
  const lineAt = (offset: number): number => text.slice(0, offset).split('\n').length;
  const visit = (node: TreeNode): void => {
    if (!isTest && FUNCTIONS.has(node.type)) {
      const [first, last] = [lineAt(node.start), lineAt(node.end)];
      const length = last - first + 1;
      if (length > BUDGETS.functionLines) {
        found.push(`${path}:${first}: a function of ${length} lines, ${BUDGETS.functionLines} at most`);
      }
    }
    if (node.type === 'TSInterfaceDeclaration') {
      const methods = methodsOf(node);
      if (methods > BUDGETS.interfaceMethods) {
        const { name } = node.id as { readonly name: string };
        found.push(
          `${path}:${lineAt(node.start)}: ${name} has ${methods} methods, ${BUDGETS.interfaceMethods} at most`,
        );
      }
    }
    for (const value of Object.values(node)) for (const child of nodesIn(value)) visit(child);
  };
  visit(parseSync(path, text).program as unknown as TreeNode);
  return found;
}

function methodsOf({ body }: TreeNode): number {
  const members = (body as { readonly body: readonly TreeNode[] }).body;
  return members.filter((member) => {
    if (member.type === 'TSMethodSignature') return true;
    const annotation = member.typeAnnotation as { readonly typeAnnotation?: TreeNode } | undefined;
    return member.type === 'TSPropertySignature' && annotation?.typeAnnotation?.type === 'TSFunctionType';
  }).length;
}

function nodesIn(value: unknown): readonly TreeNode[] {
  if (Array.isArray(value)) return value.flatMap(nodesIn);
  const isNode = typeof value === 'object' && value !== null && typeof (value as TreeNode).type === 'string';
  return isNode ? [value as TreeNode] : [];
}

if (import.meta.main) {
  const root = process.argv[2] ?? dirname(dirname(fileURLToPath(import.meta.url)));
  const all = FOLDERS.flatMap((folder) => [...sourcesUnder(join(root, folder))]);
  const files = all.filter((file) => !EXEMPT.test(file));
  const complaints = files.flatMap((file) => oversized(relative(root, file), readFileSync(file, 'utf8')));
  for (const complaint of complaints) process.stdout.write(`${complaint}\n`);
  process.stdout.write(`sizes: ${files.length} files, ${complaints.length} complaints\n`);
  process.exitCode = complaints.length === 0 && files.length > 0 ? 0 : 1;
}
