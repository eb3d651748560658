// Owns passing this process's signals on to a container. Knows no HTTP.
import type { OutputStream } from '../session.ts';

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

/** So many requests to end make this process end, whatever the container does with them. */
const LAST_REQUEST = 3;
const GIVE_UP_TEXT = '\ngot 3 SIGTERM/SIGINTs, forcefully exiting\n';

/** What becomes of the signals that this process gets. */
export interface SignalPlan {
  /** Gets the bare name (`TERM`) of each; absent keeps them from the container. */
  readonly send?: ((name: string) => Promise<void>) | undefined;
  /** Where the last word goes. */
  readonly stderr: OutputStream;
}

/**
 * Passes signals on until disposed. The third SIGINT or SIGTERM ends this process with exit code 1: a container that ignores
 * them cannot hold the terminal.
 * @source docker 28.2.2 ForwardAllSignals, forceExitAfter3TerminationSignals
 */
export function forwardSignals({ send, stderr }: SignalPlan): Disposable {
  let requests = 0;
  const listeners = FORWARDED.map((signal) => {
    const listener = (): void => {
      if (signal === 'SIGINT' || signal === 'SIGTERM') requests++;
      if (requests >= LAST_REQUEST) {
        stderr.write(GIVE_UP_TEXT);
        process.exit(1);
      }
      send?.(signal.slice('SIG'.length)).catch(() => {});
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
