import { requireFinite } from "#engine/checkpoint/finite.ts";
import type { HeadWeights } from "#engine/forward/forward.ts";
import { headUnits } from "./headUnits.ts";
import type { Meter } from "./meter.ts";
import { attempt, type Lane } from "./streamLayers.ts";
import type { Engine } from "./engine.ts";
import type { Variant } from "./variant.ts";
import { changes } from "./variantWeights.ts";

/** Bytes of the original's log-probabilities that are held at once: (chunk, vocabulary) f32. */
const CHUNK_BYTES = 64 * 2 ** 20;

/** Figures of every scored position, in window order. */
export interface RowFigures {
  /** −log p of the label, nats. */
  readonly nll: Float32Array;
  /** KL(original ‖ variant), nats. */
  readonly kl: Float32Array;
  /** 1 where the most likely token is the original's. */
  readonly topAgrees: Float32Array;
}

/** Room for the figures of so many rows. */
export function rowFigures(rows: number): RowFigures {
  return { nll: new Float32Array(rows), kl: new Float32Array(rows), topAgrees: new Float32Array(rows) };
}

/** Puts the figures of a chunk, whose first row is `begin`, among those of all rows. */
export function putFigures(all: RowFigures, chunk: RowFigures, begin: number): void {
  all.nll.set(chunk.nll, begin);
  all.kl.set(chunk.kl, begin);
  all.topAgrees.set(chunk.topAgrees, begin);
}

/** Rows whose log-probabilities over the vocabulary are in memory together. */
export function headChunk(vocabulary: number): number {
  return Math.max(1, Math.floor(CHUNK_BYTES / (vocabulary * Float32Array.BYTES_PER_ELEMENT)));
}

/** The original's final norm and output head. @throws KeystoneError checkpoint/not-finite */
export async function readHead({
  checkpoint,
  architecture,
}: Pick<Engine, "checkpoint" | "architecture">): Promise<HeadWeights> {
  const read = async (name: string): Promise<Float32Array> => {
    const values = await checkpoint.read(name);
    requireFinite(name, values);
    return values;
  };
  const others = architecture.outerTensors.filter(({ slot }) =>
    ["norm", "norm_bias", "head_bias"].includes(slot),
  );
  const parts: [string, Float32Array][] = [];
  for (const { slot, name } of others) parts.push([slot, await read(name)]);
  return { ...Object.fromEntries(parts), head: await read(architecture.headTensor) };
}

/** What {@link judgeLanes} counts for so many rows of each variant: the original once for all that share its head, and each variant. */
export function judgingUnits(
  { architecture }: Pick<Engine, "architecture">,
  variants: readonly Variant[],
  rows: number,
): number {
  const own = variants.filter((variant) => changes(variant, architecture.headTensor)).length;
  const groups = own + (own < variants.length ? 1 : 0);
  return rows * (groups * headUnits(architecture) + variants.length * headUnits(architecture, true));
}

/**
 * Judges every lane's final hidden states against the original's, chunk by chunk: the original's log-probabilities are
 * computed once a chunk for all lanes that share its head. A lane with a head of its own goes alone, so that one such
 * head is in memory at a time.
 * @param reference the original's final hidden states: (rows, hidden)
 */
export async function judgeLanes(
  engine: Engine,
  lanes: readonly Lane[],
  reference: Float32Array,
  labels: Int32Array,
  meter: Meter,
): Promise<Map<Lane, RowFigures>> {
  const original = await readHead(engine);
  const figures = new Map<Lane, RowFigures>();
  const alive = lanes.filter((lane) => lane.final !== null);
  const own = alive.filter((lane) => changes(lane.variant, engine.architecture.headTensor));
  const groups = [alive.filter((lane) => !own.includes(lane)), ...own.map((lane) => [lane])];
  for (const group of groups) {
    if (group.length === 0) continue;
    const head = own.includes(group[0]) ? ownHead(engine, group[0], original) : original;
    if (head !== null) await judgeGroup(engine, group, { head, original }, reference, labels, meter, figures);
  }
  return figures;
}

function ownHead({ architecture }: Engine, lane: Lane, original: HeadWeights): HeadWeights | null {
  const begin = performance.now();
  const made = attempt(lane, () => lane.weights.tensor(architecture.headTensor, original.head));
  lane.seconds += (performance.now() - begin) / 1000;
  return made && { ...original, head: made };
}

async function judgeGroup(
  { forward, architecture }: Engine,
  lanes: readonly Lane[],
  heads: { readonly head: HeadWeights; readonly original: HeadWeights },
  reference: Float32Array,
  labels: Int32Array,
  meter: Meter,
  figures: Map<Lane, RowFigures>,
): Promise<void> {
  const { hiddenSize, vocabulary } = architecture.facts;
  const units = headUnits(architecture, true);
  const rows = labels.length;
  const chunk = headChunk(vocabulary);
  for (const lane of lanes) figures.set(lane, rowFigures(rows));
  for (let begin = 0; begin < rows; begin += chunk) {
    const end = Math.min(rows, begin + chunk);
    const part = (all: Float32Array): Float32Array => all.subarray(begin * hiddenSize, end * hiddenSize);
    const logProbabilities = await forward.logProbabilities(part(reference), heads.original);
    await meter.advance((end - begin) * headUnits(architecture), "output head");
    for (const lane of lanes) {
      const started = performance.now();
      const out = figures.get(lane);
      if (lane.final === null || !out) continue;
      const judged = await forward.judge(
        part(lane.final),
        labels.subarray(begin, end),
        logProbabilities,
        heads.head,
      );
      putFigures(out, judged, begin);
      lane.seconds += (performance.now() - started) / 1000;
      await meter.advance((end - begin) * units, "output head");
    }
  }
}

/** NLL and most likely token of every lane's rows, without a comparison. */
export async function scoreLanes(
  engine: Engine,
  lanes: readonly Lane[],
  labels: Int32Array,
  meter: Meter,
): Promise<Map<Lane, { nll: Float32Array; top: Int32Array }>> {
  const original = await readHead(engine);
  const figures = new Map<Lane, { nll: Float32Array; top: Int32Array }>();
  for (const lane of lanes) {
    if (lane.final === null) continue;
    const head = changes(lane.variant, engine.architecture.headTensor)
      ? ownHead(engine, lane, original)
      : original;
    if (head === null) continue;
    figures.set(lane, await engine.forward.score(lane.final, labels, head));
    await meter.advance(labels.length * headUnits(engine.architecture), "output head");
  }
  return figures;
}
