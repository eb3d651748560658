// The face of the registry's HTTP server.

export { createDispatcher, type DispatchOptions } from './dispatch.ts';
export { hostCheck } from './host.ts';
export { sendFile, socketFd } from './send-file.ts';
export { listen } from './server.ts';
