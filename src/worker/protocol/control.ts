import { cancelledError } from "#shared/errors.ts";

/** One number in shared memory by which the studio steers every task of a job. */
export type Control = Int32Array<SharedArrayBuffer>;

const GO = 0;
const PAUSE = 1;
const CANCEL = 2;

export function createControl(): Control {
  return new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
}

/** The studio's side. A cancelled job stays cancelled. */
export function pause(control: Control): void {
  Atomics.compareExchange(control, 0, GO, PAUSE);
}

export function goOn(control: Control): void {
  Atomics.compareExchange(control, 0, PAUSE, GO);
  Atomics.notify(control, 0);
}

export function cancel(control: Control): void {
  Atomics.store(control, 0, CANCEL);
  Atomics.notify(control, 0);
}

export function isCancelled(control: Control): boolean {
  return Atomics.load(control, 0) === CANCEL;
}

/**
 * The worker's side, called between batches: sleeps while the job is paused.
 * @throws KeystoneError job/cancelled
 */
export function waitOrThrow(control: Control): void {
  while (Atomics.load(control, 0) === PAUSE) Atomics.wait(control, 0, PAUSE);
  if (isCancelled(control)) throw cancelledError();
}
