import type { Change } from "#shared/detection.ts";
import { orNull } from "#shared/numbers.ts";
import { headChunk, readHead } from "#engine/evaluate/stream/judgeHead.ts";
import type { Meter } from "#engine/evaluate/stream/meter.ts";
import type { Engine } from "#engine/evaluate/stream/engine.ts";
import type { Finals } from "./effectStream.ts";

/** The original on the text. */
export interface OriginalFigures {
  /** Nats per scored token. */
  readonly nll: number;
  /** KL(model ‖ uniform), nats per token: log V − H. */
  readonly information: number;
  readonly tokens: number;
}

/** KL and change of NLL of every probe, by its id, and the original's own figures. */
export interface Judgement {
  readonly original: OriginalFigures;
  readonly changes: ReadonlyMap<string, Change>;
}

/** The output head's share of work beside one layer, for progress: its matrix against a layer's. */
export function headWork({ architecture }: Engine, rows: number): number {
  const { hiddenSize, vocabulary } = architecture.facts;
  const layer = architecture
    .layerTensors(0)
    .reduce((n, { shape }) => n + shape.reduce((product, size) => product * size, 1), 0);
  return Math.max(1, Math.round((rows * hiddenSize * vocabulary) / layer));
}

/**
 * Judges final hidden states against the original's, chunk by chunk, as a wave of variants is judged: the original's
 * log-probabilities are made once a chunk. Sums in f64.
 * @param labels of the scored positions
 */
export async function judgeProbes(
  engine: Engine,
  finals: Finals,
  labels: Int32Array,
  meter: Meter,
): Promise<Judgement> {
  const head = await readHead(engine);
  const { hiddenSize, vocabulary } = engine.architecture.facts;
  const rows = labels.length;
  const chunk = headChunk(vocabulary);
  const totals = new Map([...finals.probes.keys()].map((id) => [id, { nll: 0, kl: 0 }]));
  let [nll, information] = [0, 0];
  for (let begin = 0; begin < rows; begin += chunk) {
    const end = Math.min(rows, begin + chunk);
    const part = (all: Float32Array): Float32Array => all.subarray(begin * hiddenSize, end * hiddenSize);
    const reference = await engine.forward.logProbabilities(part(finals.original), head);
    const chunkLabels = labels.subarray(begin, end);
    for (let row = 0; row < end - begin; row++) {
      nll -= reference[row * vocabulary + chunkLabels[row]];
      information += Math.log(vocabulary) - entropy(reference, row * vocabulary, vocabulary);
    }
    for (const [id, states] of finals.probes) {
      const judged = await engine.forward.judge(part(states), chunkLabels, reference, head);
      const total = totals.get(id);
      if (total) {
        total.nll += sum(judged.nll);
        total.kl += sum(judged.kl);
      }
      await meter.advance(headWork(engine, end - begin), "effects, output head");
    }
  }
  const changes = new Map(
    [...totals].map(([id, total]): [string, Change] => [
      id,
      { kl: orNull(total.kl / rows), nllChange: orNull((total.nll - nll) / rows) },
    ]),
  );
  return { original: { nll: nll / rows, information: information / rows, tokens: rows }, changes };
}

/** −Σ p·log p of one row, nats. */
function entropy(logProbabilities: Float32Array, begin: number, vocabulary: number): number {
  let total = 0;
  for (let i = begin; i < begin + vocabulary; i++) {
    const value = logProbabilities[i];
    // e^−40 of the mass is beyond what f32 holds of the sum
    if (value > -40) total -= Math.exp(value) * value;
  }
  return total;
}

function sum(values: Float32Array): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}
