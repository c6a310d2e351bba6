/** Where the command line reads and writes: the process in earnest, buffers in a test. */
export interface Io {
  readonly stdout: TextOutput;
  readonly stderr: TextOutput;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Folder that relative paths start from. */
  readonly cwd: string;
  /** Calls back on Ctrl-C (and SIGTERM, SIGHUP); returns the way to stop listening. */
  onInterrupt(listener: () => void): () => void;
}

/** A stream that may be a terminal. */
export type TextOutput = NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number };

/**
 * One Ctrl-C can reach the process more than once: from the terminal and again from npm and the script that started us.
 * Signals closer together than this many milliseconds count as one.
 */
const SAME_KEY_PRESS_MS = 800;

/** Exit code of a second Ctrl-C, as shells have it: 128 + SIGINT. */
const LEFT_AT_ONCE = 130;

/** The real process. The first interrupt goes to the listener, the second leaves at once. */
export function processIo(): Io {
  process.stdout.on("error", leaveQuietlyWhenPipeCloses);
  return {
    stdout: process.stdout,
    stderr: process.stderr,
    env: process.env,
    cwd: process.cwd(),
    onInterrupt: listenForSignals,
  };
}

function listenForSignals(listener: () => void): () => void {
  let first: number | null = null;
  const heard = (): void => {
    const now = performance.now();
    if (first === null) {
      first = now;
      listener();
    } else if (now - first > SAME_KEY_PRESS_MS) {
      process.exit(LEFT_AT_ONCE);
    }
  };
  const signals: NodeJS.Signals[] = ["SIGINT", "SIGTERM", "SIGHUP"];
  for (const signal of signals) process.on(signal, heard);
  return () => {
    for (const signal of signals) process.off(signal, heard);
  };
}

/** `keystone runs | head` closes our output early; that is no error of ours. */
function leaveQuietlyWhenPipeCloses(error: NodeJS.ErrnoException): void {
  if (error.code === "EPIPE") process.exit(0);
  throw error;
}
