// The face of durable and periodic work.

export { Periodic } from './periodic.ts';
export { createQueue } from './queue.ts';
export { copyIntoJobs, migrateJobs } from './table.ts';
export type { Job, JobQueue, Jobs, QueueOptions, QueueStatus } from './types.ts';
