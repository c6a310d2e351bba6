import { PassThrough } from "node:stream";
import type { Io } from "../../src/cli/output/io.ts";
import type { Dependencies } from "../../src/cli/session/dependencies.ts";
import { main } from "../../src/cli/main.ts";

export interface Outcome {
  code: number;
  stdout: string;
  stderr: string;
  /** stdout as the one JSON document it must be. */
  json: () => unknown;
}

export interface RunOptions {
  env?: Record<string, string>;
  cwd?: string;
  terminal?: boolean;
  dependencies?: Dependencies;
  /** Given the way to press Ctrl-C. */
  onStart?: (interrupt: () => void) => void;
}

/** Runs the command line in this process, with buffers for streams. */
export async function runMain(argv: readonly string[], options: RunOptions = {}): Promise<Outcome> {
  const stdout = capture(options.terminal === true);
  const stderr = capture(options.terminal === true);
  const listeners = new Set<() => void>();
  const io: Io = {
    stdout: stdout.stream,
    stderr: stderr.stream,
    env: options.env ?? {},
    cwd: options.cwd ?? process.cwd(),
    onInterrupt(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
  options.onStart?.(() => {
    for (const listener of listeners) listener();
  });
  const code = await main(argv, io, options.dependencies);
  return {
    code,
    stdout: stdout.text(),
    stderr: stderr.text(),
    json: () => JSON.parse(stdout.text()) as unknown,
  };
}

function capture(terminal: boolean): {
  stream: PassThrough & { isTTY: boolean; columns: number };
  text: () => string;
} {
  const chunks: Buffer[] = [];
  const stream = Object.assign(new PassThrough(), { isTTY: terminal, columns: 120 });
  stream.on("data", (chunk: Buffer) => chunks.push(chunk));
  return { stream, text: () => Buffer.concat(chunks).toString("utf8") };
}
