import { randomUUID } from "node:crypto";
import { hostname } from "node:os";

/** The studio that executes a run: one token per studio, so that two in one process are told apart too. */
export interface Owner {
  readonly token: string;
  readonly process: number;
  readonly host: string;
}

/** How often an owner gives a sign of life, and after how long without one it counts as gone. */
export const HEARTBEAT_MS = 2_000;
export const HEARTBEAT_LOST_MS = 30_000;

export function createOwner(): Owner {
  return { token: randomUUID(), process: process.pid, host: hostname() };
}

/**
 * Whether the studio that owns a run still lives. On this machine the process must exist; its id may have been given
 * to another one since (after a restart), so the sign of life must be fresh as well. On another machine only that counts.
 */
export function ownerLives(
  owner: { process: number; host: string; heartbeat: number },
  now = Date.now(),
): boolean {
  if (owner.host === hostname() && !processExists(owner.process)) return false;
  return now - owner.heartbeat < HEARTBEAT_LOST_MS;
}

function processExists(id: number): boolean {
  try {
    process.kill(id, 0);
    return true;
  } catch (error) {
    // EPERM: it exists and belongs to somebody else.
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}
