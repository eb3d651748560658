// Owns passing this process's signals on to a container. Knows no HTTP.

/** Signals that a person or a supervisor sends; the rest Node cannot catch or must keep. */
const FORWARDED: readonly NodeJS.Signals[] = [
  'SIGHUP',
  'SIGINT',
  'SIGQUIT',
  'SIGUSR1',
  'SIGUSR2',
  'SIGALRM',
  'SIGTERM',
  'SIGCONT',
  'SIGTSTP',
  'SIGTTIN',
  'SIGTTOU',
  'SIGIO',
  'SIGWINCH',
];

/**
 * Calls `send` with the bare name (`TERM`) of every signal this process gets, until disposed.
 * @source docker 28.2.2 ForwardAllSignals
 */
export function forwardSignals(send: (name: string) => Promise<void>): Disposable {
  const listeners = FORWARDED.map((signal) => {
    const listener = (): void => {
      send(signal.slice('SIG'.length)).catch(() => {});
    };
    process.on(signal, listener);
    return [signal, listener] as const;
  });
  return {
    [Symbol.dispose]: () => {
      for (const [signal, listener] of listeners) process.off(signal, listener);
    },
  };
}
