/**
 * Keeps a thread from being ended inside the runtime. onnxruntime's calls block their thread; a thread that is terminated
 * meanwhile returns from the call into an environment that can no longer take its result, and the whole process aborts.
 * The one who wants to end the thread therefore shuts the gate first: it waits for a call under way and lets none begin.
 */
export type NativeGate = Int32Array<SharedArrayBuffer>;

const OPEN = 0;
const INSIDE = 1;
const SHUT = 2;

export function createGate(): NativeGate {
  return new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
}

let gate: NativeGate | null = null;
/** Calls of this thread that are under way; the gate is passed by the first and left by the last. */
let depth = 0;

/** The gate that this thread's calls pass from now on; null = none, for a thread that nobody ends. */
export function useGate(next: NativeGate | null): void {
  gate = next;
  depth = 0;
}

/** Makes one call of the runtime. Behind a shut gate it never begins: the thread sleeps until it is ended. */
export async function throughGate<T>(call: () => Promise<T>): Promise<T> {
  const passed = gate;
  if (passed && depth === 0)
    while (Atomics.compareExchange(passed, 0, OPEN, INSIDE) === SHUT) Atomics.wait(passed, 0, SHUT);
  depth++;
  try {
    return await call();
  } finally {
    depth--;
    if (passed && depth === 0) leaveGate(passed);
  }
}

/** Says that no call is under way: after the last one, or for a thread that died inside. */
export function leaveGate(left: NativeGate): void {
  Atomics.compareExchange(left, 0, INSIDE, OPEN);
  Atomics.notify(left, 0);
}

/** Resolves when no call is under way and none can begin any more. */
export async function shutGate(shut: NativeGate): Promise<void> {
  while (Atomics.compareExchange(shut, 0, OPEN, SHUT) === INSIDE) {
    const waiting = Atomics.waitAsync(shut, 0, INSIDE);
    if (waiting.async) await waiting.value;
  }
}
