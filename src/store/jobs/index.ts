// The face of durable and periodic work.

export { Periodic, type PeriodicOptions } from './periodic.ts';
export { createQueue } from './queue.ts';
export { copyIntoJobs, migrateJobs } from './table.ts';
export type { Job, JobQueue, JobState, Outcome, QueueOptions } from './types.ts';
