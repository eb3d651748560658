// The face of pulling.

export { pullImage } from './pull.ts';
