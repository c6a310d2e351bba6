import type { TokenWindow, WindowSet } from "#engine/evaluate/windows/windowSet.ts";

/**
 * The same windows with all ids and labels in one piece of shared memory, so that sending them to a worker copies none. The texts'
 * own ids stay behind: nothing there compares tokenizers.
 */
export function shareWindows(set: WindowSet): WindowSet {
  const tokens = set.windows.reduce((sum, { ids }) => sum + ids.length, 0);
  const memory = new SharedArrayBuffer(2 * tokens * Int32Array.BYTES_PER_ELEMENT);
  let at = 0;
  const share = (values: Int32Array): Int32Array => {
    const shared = new Int32Array(memory, at * Int32Array.BYTES_PER_ELEMENT, values.length);
    shared.set(values);
    at += values.length;
    return shared;
  };
  const windows = set.windows.map((window): TokenWindow => ({
    ...window,
    ids: share(window.ids),
    labels: share(window.labels),
  }));
  return { ...set, windows, texts: [] };
}

/** Values in shared memory; as they are where they lie there already. */
export function shareFloats(values: Float32Array): Float32Array {
  if (values.buffer instanceof SharedArrayBuffer) return values;
  const shared = new Float32Array(new SharedArrayBuffer(values.byteLength));
  shared.set(values);
  return shared;
}
