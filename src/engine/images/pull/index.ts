// The face of pulling.

export { type PullControl, pullImage } from './pull.ts';
