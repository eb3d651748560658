// Owns `--trace`: the calls of one command, with the daemon's own times of their parts, as a tree on stderr. Loaded only when asked for.
import type { CallObserver } from '../client/index.ts';
import { type Span, spansOf, Trace, traceparentOf } from '../lib/trace.ts';

interface CallRecord {
  readonly name: string;
  readonly startMs: number;
  /** Undefined while no answer has come. */
  durationMs: number | undefined;
  spans: readonly Span[];
}

/** A part with what lies within it. Times in milliseconds since the command began. */
interface TreeNode {
  readonly name: string;
  readonly startMs: number;
  readonly durationMs: number;
  readonly parts: TreeNode[];
}

/** Watches the calls of the command line `argv`; disposing prints the tree. */
export function startTrace(argv: readonly string[], say: (text: string) => void): CallObserver & Disposable {
  const trace = new Trace(undefined, false);
  const calls: CallRecord[] = [];
  const startedMs = performance.now();
  const elapsed = (): number => performance.now() - startedMs;
  return {
    begin(method, path) {
      const call: CallRecord = { name: `${method} ${path}`, startMs: elapsed(), durationMs: undefined, spans: [] };
      calls.push(call);
      return {
        headers: { Traceparent: traceparentOf(trace) },
        end(answer) {
          const timing = answer?.['server-timing'];
          call.durationMs = elapsed() - call.startMs;
          call.spans = spansOf(Array.isArray(timing) ? timing.join() : timing);
        },
      };
    },
    [Symbol.dispose]() {
      const now = elapsed();
      const parts = calls.map((call) => nodeOf(call, now));
      const command = { name: `gantry ${argv.join(' ')}`, startMs: 0, durationMs: now, parts };
      say(
        [`Trace ${trace.id} (start and time in ms; a call's time is until its answer began)`, ...tree(command)].join(
          '\n',
        ),
      );
    },
  };
}

function nodeOf({ name, startMs, durationMs = Number.NaN, spans }: CallRecord, now: number): TreeNode {
  const call: TreeNode = {
    name,
    startMs,
    durationMs: Number.isNaN(durationMs) ? now - startMs : durationMs,
    parts: [],
  };
  const nodes: TreeNode[] = [];
  for (const span of spans) {
    // The daemon counts from its own beginning of the request.
    const node = { name: span.name, startMs: startMs + span.startMs, durationMs: span.durationMs, parts: [] };
    (nodes[span.parent] ?? call).parts.push(node);
    nodes.push(node);
  }
  return call;
}

function tree(node: TreeNode, lead = '', more = ''): string[] {
  const times = `${node.startMs.toFixed(1).padStart(9)} ${node.durationMs.toFixed(1).padStart(8)}`;
  return [
    `${times}  ${lead}${node.name}`,
    ...node.parts.flatMap((part, index) => {
      const isLast = index === node.parts.length - 1;
      return tree(part, `${more}${isLast ? '└─ ' : '├─ '}`, `${more}${isLast ? '   ' : '│  '}`);
    }),
  ];
}
