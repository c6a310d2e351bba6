import { spawn } from "node:child_process";

export interface Ended {
  status: number;
  /** The last words of a process that Node or V8 ended itself, with the stack that follows them; empty when none did. */
  lastWords: string;
  /** What it printed, where that was to be collected. */
  output: string;
}

const LAST_WORDS = /# Fatal error|FATAL ERROR|terminate called|Assertion failed/;
/** Enough for the reason and the native stack. */
const LAST_WORDS_LINES = 40;

export interface RunOptions {
  environment?: Readonly<Record<string, string>>;
  cwd?: string;
  /** Keeps its output to itself. */
  quiet?: boolean;
  /** Its output is given back, not passed through. */
  collect?: boolean;
}

/** Runs a script on this Node, its output passed through. */
export function runNode(
  args: readonly string[],
  { environment, cwd, quiet = false, collect = false }: RunOptions = {},
): Promise<Ended> {
  const child = spawn(process.execPath, args, {
    stdio: ["ignore", collect ? "pipe" : quiet ? "ignore" : "inherit", "pipe"],
    env: { ...process.env, ...environment },
    ...(cwd === undefined ? {} : { cwd }),
  });
  const [output, errors]: [Buffer[], Buffer[]] = [[], []];
  child.stdout?.on("data", (chunk: Buffer) => output.push(chunk));
  child.stderr?.on("data", (chunk: Buffer) => {
    errors.push(chunk);
    if (collect) output.push(chunk);
    else if (!quiet) process.stderr.write(chunk);
  });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (status) =>
      resolve({
        status: status ?? 1,
        lastWords: lastWordsIn(Buffer.concat(errors).toString("utf8")),
        output: Buffer.concat(output).toString("utf8"),
      }),
    );
  });
}

function lastWordsIn(output: string): string {
  const lines = output.split("\n");
  const at = lines.findIndex((line) => LAST_WORDS.test(line));
  return at < 0 ? "" : lines.slice(at, at + LAST_WORDS_LINES).join("\n");
}
