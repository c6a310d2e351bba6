import { KeystoneError } from "#shared/errors.ts";
import type { Architecture } from "#engine/architecture/decoder/architecture.ts";
import type { Checkpoint } from "#engine/checkpoint/checkpoint.ts";
import { placesOf } from "./branchTables.ts";
import type { EmbedPlaces, HiddenBatch } from "./forward.ts";

/**
 * Looks up the embedding of every token, scaled where the family scales it, and of its position where positions are learned: (batch,
 * longest window, hidden), zeros behind a window's end. Each row that occurs is read once.
 * @throws KeystoneError forward/token-out-of-range for an id that the table has no row for; forward/position-out-of-range for a text
 *   longer than the positions that were learned; forward/empty-window
 */
export async function embed(
  architecture: Architecture,
  checkpoint: Pick<Checkpoint, "readRows">,
  windows: readonly ArrayLike<number>[],
  { from = 0, parents = [] }: EmbedPlaces = {},
): Promise<HiddenBatch> {
  const { hiddenSize, vocabulary } = architecture.facts;
  const { scale, positions } = architecture.description.embedding;
  const lengths = windows.map((window) => window.length);
  if (windows.length === 0 || lengths.includes(0)) throw emptyWindow();
  const wrong = windows
    .flatMap((window) => Array.from(window))
    .find((id) => !(Number.isInteger(id) && id >= 0 && id < vocabulary));
  if (wrong !== undefined) throw tokenOutOfRange(wrong, vocabulary);

  const sequence = Math.max(...lengths);
  const data = new Float32Array(windows.length * sequence * hiddenSize);
  const place = (w: number, t: number): number => (w * sequence + t) * hiddenSize;
  const tokens = await rowsOf(checkpoint, architecture.embedTensor, windows, hiddenSize);
  windows.forEach((window, w) => {
    for (let t = 0; t < window.length; t++) data.set(tokens(window[t]), place(w, t));
  });
  if (scale !== 1) {
    const factor = Math.fround(scale);
    for (let i = 0; i < data.length; i++) data[i] *= factor;
  }
  if (positions) {
    const places = windows.map((window, w) =>
      placesOf(parents[w] ?? null, window.length).map((it) => it + from),
    );
    const last = places.reduce((most, of) => of.reduce((a, b) => Math.max(a, b), most), 0);
    if (last + positions.offset >= positions.rows) throw tooLong(last + 1, positions.rows - positions.offset);
    const ids = places.map((of) => of.map((it) => it + positions.offset));
    const rows = await rowsOf(checkpoint, positions.tensor, ids, hiddenSize);
    ids.forEach((of, w) =>
      of.forEach((id, t) => {
        rows(id).forEach((value, i) => (data[place(w, t) + i] += value));
      }),
    );
  }
  return { data, batch: windows.length, sequence, lengths };
}

/** Reads every row that occurs once. */
async function rowsOf(
  checkpoint: Pick<Checkpoint, "readRows">,
  table: string,
  ids: readonly ArrayLike<number>[],
  width: number,
): Promise<(id: number) => Float32Array> {
  const wanted = [...new Set(ids.flatMap((of) => Array.from(of)))].sort((a, b) => a - b);
  const rows = await checkpoint.readRows(table, wanted);
  const rowOf = new Map(wanted.map((id, row) => [id, row * width]));
  return (id) => {
    const begin = rowOf.get(id) ?? 0;
    return rows.subarray(begin, begin + width);
  };
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

function tooLong(tokens: number, positions: number): KeystoneError {
  return new KeystoneError(
    "forward/position-out-of-range",
    `The text has ${tokens} tokens, and this model has learned ${positions} positions.`,
    `Use a context of at most ${positions} tokens.`,
    { tokens, positions },
  );
}
