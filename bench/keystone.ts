import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { text } from "node:stream/consumers";

const CLI = join(import.meta.dirname, "..", "src", "cli", "index.ts");
const SAMPLE_MS = 250;

export interface CommandRun {
  document: Record<string, unknown>;
  seconds: number;
  /** Largest resident set the operating system saw, in bytes; null where it does not tell. */
  peakBytes: number | null;
  /** Processor time of all its threads, in seconds; null where the operating system does not tell. */
  cpuSeconds: number | null;
}

/** Runs one command of the command line with --json in a process of its own, and watches its memory from outside. */
export async function keystone(args: readonly string[]): Promise<CommandRun> {
  const started = performance.now();
  const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", CLI, ...args, "--json"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  // Whoever ends the bench ends the command too.
  const endChild = (): void => void child.kill("SIGKILL");
  process.once("exit", endChild);
  let peakBytes: number | null = null;
  let cpuSeconds: number | null = null;
  const look = async (): Promise<void> => {
    const now = await highWaterMark(child.pid);
    if (now !== null) peakBytes = Math.max(peakBytes ?? 0, now);
    cpuSeconds = (await processorTime(child.pid)) ?? cpuSeconds;
  };
  const watch = setInterval(() => void look(), SAMPLE_MS);
  const ended = new Promise<number>((resolve) => child.on("close", (code) => resolve(code ?? 1)));
  const output = await text(child.stdout);
  const code = await ended;
  clearInterval(watch);
  process.off("exit", endChild);
  if (code !== 0) throw new Error(`keystone ${args.join(" ")} ended with exit code ${code}.`);
  return {
    document: JSON.parse(output) as Record<string, unknown>,
    seconds: (performance.now() - started) / 1000,
    peakBytes,
    cpuSeconds,
  };
}

/** VmHWM of a process: Linux keeps the peak itself, so that sampling misses at most the last moment's growth. */
async function highWaterMark(pid: number | undefined): Promise<number | null> {
  if (process.platform !== "linux" || pid === undefined) return null;
  const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
  const found = /^VmHWM:\s+(\d+) kB$/m.exec(status);
  return found ? Number(found[1]) * 1024 : null;
}

/** User and system time of a process and its threads. Linux counts in hundredths of a second. */
async function processorTime(pid: number | undefined): Promise<number | null> {
  if (process.platform !== "linux" || pid === undefined) return null;
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  // The command's name stands in parentheses and may hold spaces; user and system time are fields 14 and 15.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const ticks = Number(fields[11]) + Number(fields[12]);
  return Number.isFinite(ticks) ? ticks / 100 : null;
}
