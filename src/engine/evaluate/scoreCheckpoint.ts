import { headUnits } from "./stream/headUnits.ts";
import { planBatches, scoredLabels } from "./stream/hiddenStates.ts";
import { headChunk, putFigures, readHead, rowFigures, type RowFigures } from "./stream/judgeHead.ts";
import { createMeter, type Meter } from "./stream/meter.ts";
import { summarize } from "./metrics.ts";
import { judgeShared } from "./sharedVocabulary.ts";
import { layerPasses, streamLayers } from "./stream/streamLayers.ts";
import { UNIT, withConfidence, type ScoreRequest } from "./score.ts";
import type { Engine } from "./stream/engine.ts";
import type { OriginalReference } from "./stream/scoring.ts";
import type { Scores } from "#shared/evaluation.ts";

export interface CheckpointRequest extends ScoreRequest {
  /** The checkpoint that it is set beside. One of the two vocabularies may be padded: its first tokens are the other's. */
  readonly original: Engine;
  /** Of the original, from scoreOriginal over the same windows. */
  readonly reference: OriginalReference;
}

/**
 * Scores another checkpoint against the original: its own weights through its own graphs, its predictions against the original's.
 * Memory: a layer of it in f32, its hidden states, both output heads.
 * @returns scores with KL divergence, and nats per scored token in window order
 * @throws KeystoneError checkpoint/not-finite, job/cancelled
 */
export async function scoreCheckpoint(
  request: CheckpointRequest,
): Promise<{ scores: Scores; nll: Float32Array }> {
  const { windows } = request;
  const plan = planBatches(windows);
  const options = { original: true, checkFinite: true };
  const head = plan.scored * headUnits(request.architecture, true);
  const meter = createMeter(plan.tokens * layerPasses(request, [], options) + head, UNIT, request);
  const { original: hidden } = await streamLayers(request, plan, [], options, meter, request);
  if (hidden === null) throw new Error("final hidden states were asked for, but none came");
  const figures = await judgeRows(request, hidden, scoredLabels(plan), meter);
  const tokens = { ...figures, originalNll: request.reference.nll };
  return {
    scores: withConfidence(summarize(figures.nll, windows, figures), tokens, request),
    nll: figures.nll,
  };
}

/** Every scored position's prediction against the original's. hidden: (rows, hidden) of the other checkpoint. */
async function judgeRows(
  request: CheckpointRequest,
  hidden: Float32Array,
  labels: Int32Array,
  meter: Meter,
): Promise<RowFigures> {
  const { original, reference, forward, architecture } = request;
  const [head, originalHead] = [await readHead(request), await readHead(original)];
  const rows = labels.length;
  const all = rowFigures(rows);
  const { vocabulary } = architecture.facts;
  const expectedVocabulary = original.architecture.facts.vocabulary;
  const chunk = headChunk(Math.max(vocabulary, expectedVocabulary));
  for (let begin = 0; begin < rows; begin += chunk) {
    const end = Math.min(rows, begin + chunk);
    const part = (states: Float32Array, { facts }: Engine["architecture"]): Float32Array =>
      states.subarray(begin * facts.hiddenSize, end * facts.hiddenSize);
    const expected = await original.forward.logProbabilities(
      part(reference.hidden, original.architecture),
      originalHead,
    );
    const own = part(hidden, architecture);
    const chosen = labels.subarray(begin, end);
    const judged =
      vocabulary === expectedVocabulary
        ? await forward.judge(own, chosen, expected, head)
        : judgeShared(
            { logProbabilities: expected, vocabulary: expectedVocabulary },
            { logProbabilities: await forward.logProbabilities(own, head), vocabulary },
            chosen,
          );
    putFigures(all, judged, begin);
    await meter.advance((end - begin) * headUnits(architecture, true), "output head");
  }
  return all;
}
