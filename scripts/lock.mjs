// A lock that processes of one machine hold on a folder: a file with the owner's process, and with the child that does its work.
import { readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";

const RETRY_MS = 200;
/** A lock that cannot be read for so long was never finished. */
const UNREADABLE_MS = 10_000;

/**
 * Runs `work` while no other process runs its own under the same lock, and ends as it ends. A lock whose owner and child are both
 * gone is taken over: they were killed.
 * @template T
 * @param {string} file the lock; its folder exists
 * @param {(holder: { pid: number, host: string }) => void} waiting called once where another process holds it
 * @param {(worker: (pid: number) => void) => Promise<T>} work says which child does the work: while that lives, the lock holds
 * @returns {Promise<T>}
 */
export async function withLock(file, waiting, work) {
  const own = { pid: process.pid, started: startOf(process.pid), host: hostname(), child: null };
  acquire(file, own, waiting);
  const release = () => {
    if (read(file)?.pid === own.pid) rmSync(file, { force: true });
  };
  process.on("exit", release);
  try {
    return await work((pid) => {
      const aside = `${file}.${own.pid}`;
      writeFileSync(aside, JSON.stringify({ ...own, child: { pid, started: startOf(pid) } }));
      renameSync(aside, file);
    });
  } finally {
    process.off("exit", release);
    release();
  }
}

function acquire(file, own, waiting) {
  for (let told = false; ;) {
    try {
      writeFileSync(file, JSON.stringify(own), { flag: "wx" });
      return;
    } catch (error) {
      if (error.code !== "EEXIST") throw error;
    }
    const holder = read(file);
    if (holder ? !isHeld(holder) : isOld(file)) {
      takeAway(file, holder);
      continue;
    }
    if (holder && !told) {
      told = true;
      waiting(holder);
    }
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, RETRY_MS);
  }
}

/** Removes a lock that nobody holds. Whoever else saw it so may have taken it over meanwhile: theirs is put back. */
function takeAway(file, abandoned) {
  const aside = `${file}.${process.pid}`;
  try {
    renameSync(file, aside);
  } catch (error) {
    if (error.code === "ENOENT") return;
    throw error;
  }
  const moved = read(aside);
  if (JSON.stringify(moved) !== JSON.stringify(abandoned)) renameSync(aside, file);
  else rmSync(aside, { force: true });
}

/** Null where the file is gone, or not whole yet. */
function read(file) {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch {
    return null;
  }
}

/** Whether a lock that cannot be read is there, and has been for longer than it takes to write one. */
function isOld(file) {
  const entry = statSync(file, { throwIfNoEntry: false });
  return entry !== undefined && Date.now() - entry.mtimeMs > UNREADABLE_MS;
}

/** On another machine, whose processes cannot be seen from here, a lock is taken to be held. */
function isHeld({ pid, started, host, child }) {
  return (
    host !== hostname() || isAlive(pid, started) || (child !== null && isAlive(child.pid, child.started))
  );
}

/** Whether the process of that number runs and is still the same. */
function isAlive(pid, started) {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (error.code === "ESRCH") return false;
  }
  const [state] = statOf(pid) ?? [];
  return state !== "Z" && (started === null || startOf(pid) === started);
}

/** When a process started, in the system's own ticks: numbers of processes are used again. Null where the system doesn't say. */
function startOf(pid) {
  return statOf(pid)?.[19] ?? null;
}

/** What Linux says of a process behind its name, from the state on: the parent is at 1. Null elsewhere, and where it is gone. */
export function statOf(pid) {
  if (process.platform !== "linux") return null;
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  } catch {
    return null;
  }
}
