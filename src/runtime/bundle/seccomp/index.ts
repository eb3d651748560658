// Seccomp: Docker's default profile and profiles of users.

export { defaultSeccomp, type SeccompFacts, userSeccomp } from './resolve.ts';
