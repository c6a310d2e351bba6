import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { decoder } from "#engine/architecture/decoder/decoder.ts";
import { llama } from "#engine/architecture/families/llama.ts";
import { createForward } from "#engine/forward/createForward.ts";
import type { Forward, HeadWeights } from "#engine/forward/forward.ts";
import { expectSum, float32Bound } from "../support/rounding.ts";

const HIDDEN = 8;
const VOCABULARY = 40;
const ROWS = 7;
const architecture = decoder(
  llama.read({
    hidden_size: HIDDEN,
    intermediate_size: 8,
    num_attention_heads: 2,
    num_hidden_layers: 1,
    vocab_size: VOCABULARY,
  }),
);
const wave = (count: number, step: number): Float32Array =>
  Float32Array.from({ length: count }, (_, i) => Math.sin(1 + i * step));
const rows = wave(ROWS * HIDDEN, 0.9);
const labels = Int32Array.from({ length: ROWS }, (_, i) => (i * 11) % VOCABULARY);
const original: HeadWeights = { norm: wave(HIDDEN, 0.1), head: wave(VOCABULARY * HIDDEN, 0.37) };
const scaled = (factor: number): HeadWeights => ({
  ...original,
  head: original.head.map((value) => value * factor),
});

/** Per row: log softmax, in f64. */
function logSoftmax(logits: Float32Array): number[][] {
  return Array.from({ length: ROWS }, (_, row) => {
    const values = [...logits.subarray(row * VOCABULARY, (row + 1) * VOCABULARY)];
    const top = Math.max(...values);
    const normalizer = top + Math.log(values.reduce((sum, value) => sum + Math.exp(value - top), 0));
    return values.map((value) => value - normalizer);
  });
}

let forward: Forward;
beforeAll(async () => {
  forward = await createForward(architecture, { device: "cpu", threads: 1 });
});
afterAll(() => forward.close());

describe("judging", () => {
  it("gives NLL, KL and agreement as computed in f64 from the logits", async () => {
    const variant = scaled(1.3);
    const p = logSoftmax(await forward.logits(rows, original));
    const q = logSoftmax(await forward.logits(rows, variant));
    const judged = await forward.judge(rows, labels, await forward.logProbabilities(rows, original), variant);
    const largest = -Math.min(...q.flat());
    for (let row = 0; row < ROWS; row++) {
      const kl = p[row].reduce((sum, logP, token) => sum + Math.exp(logP) * (logP - q[row][token]), 0);
      expect(kl).toBeGreaterThan(1e-3);
      const within = float32Bound({ magnitude: largest, terms: VOCABULARY });
      expectSum(judged.kl[row], kl, within, "KL");
      expectSum(judged.nll[row], -q[row][labels[row]], within, "NLL");
      expect(judged.topAgrees[row]).toBe(1);
    }
  });

  it("finds no difference and the same NLL where nothing changed", async () => {
    const judged = await forward.judge(
      rows,
      labels,
      await forward.logProbabilities(rows, original),
      original,
    );
    expect([...judged.kl]).toEqual(new Array(ROWS).fill(0));
    expect(judged.nll).toEqual((await forward.score(rows, labels, original)).nll);
  });

  it("sees when the most likely token is another one", async () => {
    const judged = await forward.judge(
      rows,
      labels,
      await forward.logProbabilities(rows, original),
      scaled(-1),
    );
    expect([...judged.topAgrees]).toEqual(new Array(ROWS).fill(0));
  });

  it("stays finite for a variant whose logits are a million times too large", async () => {
    const judged = await forward.judge(
      rows,
      labels,
      await forward.logProbabilities(rows, original),
      scaled(-1e6),
    );
    expect(judged.nll.every(Number.isFinite)).toBe(true);
    expect(judged.kl.every((value) => Number.isFinite(value) && value > 1e3)).toBe(true);
  });

  it("counts a token of probability 0 as nothing, however unlikely the variant finds it", async () => {
    const sure = await forward.logProbabilities(rows, scaled(1e6));
    const reference = sure.map((value) => (Math.exp(value) === 0 ? -Infinity : value));
    expect(reference.includes(-Infinity)).toBe(true);
    const judged = await forward.judge(rows, labels, reference, original);
    expect(judged.kl.every((value) => Number.isFinite(value) && value > 0)).toBe(true);
  });

  it("does not hide a variant that computes NaN", async () => {
    const broken = { ...original, head: original.head.with(0, Number.NaN) };
    const judged = await forward.judge(rows, labels, await forward.logProbabilities(rows, original), broken);
    expect([...judged.nll, ...judged.kl].every(Number.isNaN)).toBe(true);
  });
});

describe("scoring", () => {
  it("names the most likely token", async () => {
    const logits = await forward.logits(rows, original);
    const { top } = await forward.score(rows, labels, original);
    top.forEach((token, row) => {
      const values = logits.subarray(row * VOCABULARY, (row + 1) * VOCABULARY);
      expect(values[token]).toBe(Math.max(...values));
    });
  });
});

describe("embedding", () => {
  const checkpoint = {
    readRows: async (_name: string, indices: ArrayLike<number>) =>
      Float32Array.from(Array.from(indices).flatMap((id) => new Array<number>(HIDDEN).fill(id))),
  };

  it("reads each row once and pads with zeros on the right", async () => {
    const asked: number[][] = [];
    const watched = {
      readRows: (name: string, indices: ArrayLike<number>) => {
        asked.push(Array.from(indices));
        return checkpoint.readRows(name, indices);
      },
    };
    const { data, batch, sequence, lengths } = await forward.embed(watched, [[5, 3, 5], [3]]);
    expect({ batch, sequence, lengths, asked }).toEqual({
      batch: 2,
      sequence: 3,
      lengths: [3, 1],
      asked: [[3, 5]],
    });
    const firstChannel = Array.from({ length: 6 }, (_, i) => data[i * HIDDEN]);
    expect(firstChannel).toEqual([5, 3, 5, 3, 0, 0]);
  });

  it("refuses a token that the table has no row for, and a window without tokens", async () => {
    await expect(forward.embed(checkpoint, [[1, VOCABULARY]])).rejects.toMatchObject({
      code: "forward/token-out-of-range",
      message: /Token 40 .* 40/,
    });
    await expect(forward.embed(checkpoint, [[1], []])).rejects.toMatchObject({
      code: "forward/empty-window",
    });
    await expect(forward.embed(checkpoint, [])).rejects.toMatchObject({ code: "forward/empty-window" });
  });
});
