import { KeystoneError } from "#shared/errors.ts";
import type { Architecture } from "#engine/architecture/decoder/architecture.ts";
import type { Checkpoint } from "#engine/checkpoint/checkpoint.ts";
import type { HiddenBatch } from "./forward.ts";

/**
 * Looks up the embedding of every token: (batch, longest window, hidden), zeros behind a window's end. Each row that
 * occurs is read once.
 * @throws KeystoneError forward/token-out-of-range for an id that the table has no row for; forward/empty-window
 */
export async function embed(
  architecture: Architecture,
  checkpoint: Pick<Checkpoint, "readRows">,
  windows: readonly ArrayLike<number>[],
): Promise<HiddenBatch> {
  const { hiddenSize, vocabulary } = architecture.facts;
  const lengths = windows.map((window) => window.length);
  if (windows.length === 0 || lengths.includes(0)) throw emptyWindow();
  const ids = [...new Set(windows.flatMap((window) => Array.from(window)))].sort((a, b) => a - b);
  const wrong = ids.find((id) => !Number.isInteger(id) || id < 0 || id >= vocabulary);
  if (wrong !== undefined) throw tokenOutOfRange(wrong, vocabulary);

  const rows = await checkpoint.readRows(architecture.embedTensor, ids);
  const rowOf = new Map(ids.map((id, row) => [id, row]));
  const sequence = Math.max(...lengths);
  const data = new Float32Array(windows.length * sequence * hiddenSize);
  windows.forEach((window, w) => {
    for (let t = 0; t < window.length; t++) {
      const row = (rowOf.get(window[t]) ?? 0) * hiddenSize;
      data.set(rows.subarray(row, row + hiddenSize), (w * sequence + t) * hiddenSize);
    }
  });
  return { data, batch: windows.length, sequence, lengths };
}

function emptyWindow(): KeystoneError {
  return new KeystoneError(
    "forward/empty-window",
    "A window holds no tokens.",
    "Give a text that is not empty.",
  );
}

function tokenOutOfRange(id: number, vocabulary: number): KeystoneError {
  return new KeystoneError(
    "forward/token-out-of-range",
    `Token ${id} has no row in the embedding table, which has ${vocabulary}.`,
    "Check that the tokenizer belongs to this checkpoint.",
    { token: id, vocabulary },
  );
}
