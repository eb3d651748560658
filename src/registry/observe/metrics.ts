// Owns the registry's metrics and its health, and their routes. Counts in plain numbers; prom-client comes in when they are asked for.

import type { Registry } from 'prom-client';
import { messageOf } from '../../lib/errors.ts';
import type { RequestReport, Right, Route } from '../http/types.ts';

/** Upper bounds in seconds. */
const BUCKETS = [0.001, 0.005, 0.025, 0.1, 0.5, 2.5, 10, 60];

/** A number that another part counts. */
export interface Gauge {
  readonly name: string;
  readonly help: string;
  readonly kind: 'gauge' | 'counter';
  readonly value: number;
}

/** A check of health; throws when something is wrong. */
interface Check {
  readonly name: string;
  readonly run: () => Promise<void> | void;
}

export interface MetricsOptions {
  /** Who may read /metrics. */
  readonly right: Right;
  /** Looked up when metrics are asked for. */
  readonly gauges: () => readonly Gauge[];
  readonly checks: readonly Check[];
}

interface Series {
  readonly label: string;
  readonly method: string;
  readonly status: number;
  count: number;
}

interface Latency {
  readonly counts: number[];
  sum: number;
  count: number;
}

/** Counts requests and tells of them. */
export class Metrics {
  readonly #options: MetricsOptions;
  readonly #series = new Map<string, Series>();
  readonly #latencies = new Map<string, Latency>();
  #bytesIn = 0;
  #bytesOut = 0;
  /** Node's own numbers. Their collectors start watchers that nothing stops: made once. */
  #process: Promise<Registry> | undefined;

  constructor(options: MetricsOptions) {
    this.#options = options;
  }

  /** Labels come from route tables, methods from Node's list: the number of series is bounded. */
  request({ label, method, status, durationMs, bytesIn, bytesOut }: RequestReport): void {
    const key = `${label} ${method} ${status}`;
    const series = this.#series.get(key);
    if (series) series.count++;
    else this.#series.set(key, { label, method, status, count: 1 });
    this.#bytesIn += bytesIn;
    this.#bytesOut += bytesOut;
    const latency = this.#latencies.get(label) ?? { counts: BUCKETS.map(() => 0), sum: 0, count: 0 };
    this.#latencies.set(label, latency);
    const seconds = durationMs / 1000;
    const bucket = BUCKETS.findIndex((bound) => seconds <= bound);
    if (bucket >= 0) latency.counts[bucket] = (latency.counts[bucket] ?? 0) + 1;
    latency.sum += seconds;
    latency.count++;
  }

  get routes(): readonly Route[] {
    return [
      {
        method: 'GET',
        path: '/metrics',
        right: this.#options.right,
        label: 'metrics',
        handle: async (exchange) => {
          const { type, text } = await this.#exposition();
          exchange.send(200, { 'Content-Type': type }, text);
        },
      },
      {
        method: 'GET',
        path: '/healthz',
        right: 'open',
        label: 'health',
        handle: async (exchange) => {
          const faults = await this.#faults();
          exchange.json(faults.length === 0 ? 200 : 503, { status: faults.length === 0 ? 'ok' : 'failing', faults });
        },
      },
    ];
  }

  async #faults(): Promise<string[]> {
    const faults: string[] = [];
    for (const { name, run } of this.#options.checks) {
      try {
        await run();
      } catch (error) {
        faults.push(`${name}: ${messageOf(error)}`);
      }
    }
    return faults;
  }

  async #exposition(): Promise<{ readonly type: string; readonly text: string }> {
    const { Counter, Gauge, Registry } = await import('prom-client');
    this.#process ??= processMetrics();
    const registry = new Registry();
    const registers = [registry];
    const requests = new Counter({
      name: 'gantry_registry_http_requests_total',
      help: 'Answered requests',
      labelNames: ['route', 'method', 'status'],
      registers,
    });
    for (const { label, method, status, count } of this.#series.values()) {
      requests.inc({ route: label, method, status: String(status) }, count);
    }
    const bytes = new Counter({
      name: 'gantry_registry_http_bytes_total',
      help: 'Bytes of bodies by direction',
      labelNames: ['direction'],
      registers,
    });
    bytes.inc({ direction: 'in' }, this.#bytesIn);
    bytes.inc({ direction: 'out' }, this.#bytesOut);
    for (const { name, help, kind, value } of this.#options.gauges()) {
      if (kind === 'counter') new Counter({ name, help, registers }).inc(value);
      else new Gauge({ name, help, registers }).set(value);
    }
    const ofProcess = await (await this.#process).metrics();
    const text = `${ofProcess}\n${await registry.metrics()}${this.#latencyText()}`;
    return { type: registry.contentType, text };
  }

  /** prom-client fills histograms value by value; ours are counted already. @source Prometheus text format 0.0.4 */
  #latencyText(): string {
    const name = 'gantry_registry_http_request_duration_seconds';
    const lines = [`# HELP ${name} Time from the request to the end of its answer`, `# TYPE ${name} histogram`];
    for (const [label, { counts, sum, count }] of this.#latencies) {
      let total = 0;
      BUCKETS.forEach((bound, i) => {
        total += counts[i] ?? 0;
        lines.push(`${name}_bucket{route="${label}",le="${bound}"} ${total}`);
      });
      lines.push(`${name}_bucket{route="${label}",le="+Inf"} ${count}`, `${name}_sum{route="${label}"} ${sum}`);
      lines.push(`${name}_count{route="${label}"} ${count}`);
    }
    return `${lines.join('\n')}\n`;
  }
}

async function processMetrics(): Promise<Registry> {
  const { Registry, collectDefaultMetrics } = await import('prom-client');
  const register = new Registry();
  collectDefaultMetrics({ register });
  return register;
}
