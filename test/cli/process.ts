import { spawn, type ChildProcess } from "node:child_process";
import { join } from "node:path";
import { text } from "node:stream/consumers";

const CLI = join(import.meta.dirname, "..", "..", "src", "cli", "index.ts");

export interface Ended {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

export interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
}

/** Starts the command line in a process of its own, on the Node that runs the tests. */
export function start(argv: readonly string[], home: string, cwd?: string): Running {
  const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", CLI, ...argv], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, KEYSTONE_HOME: home },
    ...(cwd === undefined ? {} : { cwd }),
  });
  const exit = new Promise<[number | null, NodeJS.Signals | null]>((resolve) =>
    child.on("close", (code, signal) => resolve([code, signal])),
  );
  const ended = Promise.all([exit, text(child.stdout), text(child.stderr)]).then(
    ([[code, signal], stdout, stderr]) => ({ code, signal, stdout, stderr }),
  );
  return { child, ended };
}
