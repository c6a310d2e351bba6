/**
 * One decoder layer, with and without taps, and the judging head, each beside the matrix products of its shapes in the same
 * run. usage: node bench/forward.ts [threads, default all cores]
 */
import { availableParallelism } from "node:os";
import { decoder } from "#engine/architecture/decoder/decoder.ts";
import { llama } from "#engine/architecture/families/llama.ts";
import type { Architecture } from "#engine/architecture/decoder/architecture.ts";
import { createForward } from "#engine/forward/createForward.ts";
import type { HiddenBatch, LayerWeights } from "#engine/forward/forward.ts";
import { gemmFlops, gemmSeconds, type Gemm } from "./gemm.ts";

interface Shape {
  name: string;
  hidden: number;
  intermediate: number;
  heads: number;
  keyValueHeads: number;
  vocabulary: number;
  batch: number;
  sequence: number;
}

const SHAPES: readonly Shape[] = [
  {
    name: "demo",
    hidden: 256,
    intermediate: 704,
    heads: 8,
    keyValueHeads: 4,
    vocabulary: 1024,
    batch: 16,
    sequence: 191,
  },
  {
    name: "1 B",
    hidden: 2048,
    intermediate: 8192,
    heads: 32,
    keyValueHeads: 8,
    vocabulary: 32_000,
    batch: 2,
    sequence: 512,
  },
  {
    name: "7 B",
    hidden: 4096,
    intermediate: 11_008,
    heads: 32,
    keyValueHeads: 32,
    vocabulary: 32_000,
    batch: 1,
    sequence: 512,
  },
  {
    name: "long",
    hidden: 1024,
    intermediate: 2816,
    heads: 16,
    keyValueHeads: 4,
    vocabulary: 32_000,
    batch: 1,
    sequence: 4096,
  },
];
const REPEATS = 3;
const HEAD_ROWS = 256;
const threads = Number(process.argv[2]) || availableParallelism();

const filled = (count: number): Float32Array =>
  Float32Array.from({ length: count }, (_, i) => Math.sin(i) * 0.05);

/** Best seconds of a few runs after one to warm up. */
async function best(work: () => Promise<unknown>): Promise<number> {
  await work();
  let seconds = Infinity;
  for (let i = 0; i < REPEATS; i++) {
    const begin = performance.now();
    await work();
    seconds = Math.min(seconds, (performance.now() - begin) / 1000);
  }
  return seconds;
}

function layerGemms(architecture: Architecture, rows: number): Gemm[] {
  return architecture
    .layerTensors(0)
    .filter(({ kind }) => kind === "linear")
    .map(({ shape: [outer, inner] }) => ({ rows, inner, outer, times: 1 }));
}

async function benchShape(shape: Shape): Promise<Record<string, string>> {
  const architecture = decoder(
    llama.read({
      hidden_size: shape.hidden,
      intermediate_size: shape.intermediate,
      num_attention_heads: shape.heads,
      num_key_value_heads: shape.keyValueHeads,
      vocab_size: shape.vocabulary,
    }),
  );
  const { batch, sequence, vocabulary } = shape;
  const tokens = batch * sequence;
  const weights: LayerWeights = Object.fromEntries(
    architecture
      .layerTensors(0)
      .map(({ slot, shape: sizes }) => [slot, filled(sizes.reduce((a, b) => a * b))]),
  );
  const hidden: HiddenBatch = {
    data: filled(tokens * shape.hidden),
    batch,
    sequence,
    lengths: new Array<number>(batch).fill(sequence),
  };
  const forward = await createForward(architecture, { device: "cpu", threads });
  const products = layerGemms(architecture, tokens);
  const gemm = await gemmSeconds(products, threads);
  const layer = await best(() => forward.layer(0, hidden, weights));
  const tapped = await best(() => forward.layerWithTaps(0, hidden, weights));

  const rows = filled(HEAD_ROWS * shape.hidden);
  const head = { norm: filled(shape.hidden), head: filled(vocabulary * shape.hidden) };
  const labels = new Int32Array(HEAD_ROWS).fill(1);
  const reference = await forward.logProbabilities(rows, head);
  const headGemm = await gemmSeconds(
    [{ rows: HEAD_ROWS, inner: shape.hidden, outer: vocabulary, times: 1 }],
    threads,
  );
  const judge = await best(() => forward.judge(rows, labels, reference, head));
  await forward.close();

  const ms = (seconds: number): string => (seconds * 1000).toFixed(1);
  return {
    shape: `${shape.name} (${batch} × ${sequence})`,
    "GEMM ms": ms(gemm),
    "GFLOP/s": (gemmFlops(products) / gemm / 1e9).toFixed(0),
    "layer ms": ms(layer),
    "layer / GEMM": (layer / gemm).toFixed(2),
    "taps ms": ms(tapped),
    "tokens/s a layer": (tokens / layer).toFixed(0),
    "head GEMM ms": ms(headGemm),
    "judge ms": ms(judge),
    "judge / GEMM": (judge / headGemm).toFixed(2),
    "peak MiB": (process.resourceUsage().maxRSS / 1024).toFixed(0),
  };
}

process.stdout.write(`CPU provider, ${threads} threads; ${HEAD_ROWS} rows through the head\n`);
for (const shape of SHAPES) console.table([await benchShape(shape)]);
