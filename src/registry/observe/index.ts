// The face of observation: logs, metrics, health.

export { type Counted, gaugesOf } from './gauges.ts';
export { createAccessLog, createLog, logLine } from './log.ts';
export { Metrics, type MetricsOptions } from './metrics.ts';
