import type { Tensor } from "onnxruntime-node";
import type { Architecture } from "#engine/architecture/decoder/architecture.ts";
import { floats, integers, openSession, type Session, type SessionOptions } from "./session.ts";
import type { Forward, HeadWeights } from "./forward.ts";

/** Bytes of one (rows, vocabulary) f32 tensor; the graphs hold a handful of them at once. */
const MAX_LOGIT_BYTES = 32 * 2 ** 20;

type Head = Pick<Forward, "logits" | "logProbabilities" | "score" | "judge" | "close">;

/** Everything behind the last layer, in chunks of rows whose logits fit MAX_LOGIT_BYTES. */
export function createHead(architecture: Architecture, options: SessionOptions): Head {
  const { hiddenSize, vocabulary } = architecture.facts;
  const sessions = new Map<string, Promise<Session>>();
  const rowsPerRun = Math.max(1, Math.floor(MAX_LOGIT_BYTES / (vocabulary * Float32Array.BYTES_PER_ELEMENT)));

  function session(name: "headGraph" | "scoreGraph" | "judgeGraph"): Promise<Session> {
    const known = sessions.get(name);
    if (known) return known;
    const opened = openSession(architecture[name](), options);
    sessions.set(name, opened);
    return opened;
  }

  /** Runs a graph over all rows; `more` adds the inputs and outputs of the rows [begin, end). */
  async function run(
    graph: Promise<Session>,
    rows: Float32Array,
    head: HeadWeights,
    more: (begin: number, end: number) => { feeds?: Record<string, Tensor>; results: Record<string, Tensor> },
  ): Promise<void> {
    const opened = await graph;
    const weights = Object.fromEntries(
      architecture.outerTensors.flatMap(({ slot, shape }) => {
        const data = slot === "embedding" || slot === "positions" ? undefined : head[slot];
        return data ? [[slot, floats(data, shape)]] : [];
      }),
    );
    weights["head"] ??= floats(head.head, [vocabulary, hiddenSize]);
    const count = rows.length / hiddenSize;
    for (let begin = 0; begin < count; begin += rowsPerRun) {
      const end = Math.min(count, begin + rowsPerRun);
      const hidden = floats(rows.subarray(begin * hiddenSize, end * hiddenSize), [end - begin, hiddenSize]);
      const { feeds, results } = more(begin, end);
      await opened.run({ hidden, ...weights, ...feeds }, results);
    }
  }

  const matrix = (data: Float32Array, begin: number, end: number): Tensor =>
    floats(data.subarray(begin * vocabulary, end * vocabulary), [end - begin, vocabulary]);
  const column = (data: Float32Array, begin: number, end: number): Tensor =>
    floats(data.subarray(begin, end), [end - begin]);
  const whole = (data: Int32Array, begin: number, end: number): Tensor =>
    integers(data.subarray(begin, end), [end - begin]);

  async function overVocabulary(
    output: "logits" | "log_probs",
    rows: Float32Array,
    head: HeadWeights,
  ): Promise<Float32Array> {
    const out = new Float32Array((rows.length / hiddenSize) * vocabulary);
    await run(session("headGraph"), rows, head, (begin, end) => ({
      results: { [output]: matrix(out, begin, end) },
    }));
    return out;
  }

  return {
    logits: (rows, head) => overVocabulary("logits", rows, head),
    logProbabilities: (rows, head) => overVocabulary("log_probs", rows, head),
    score: async (rows, labels, head) => {
      const [nll, top] = [new Float32Array(labels.length), new Int32Array(labels.length)];
      await run(session("scoreGraph"), rows, head, (begin, end) => ({
        feeds: { labels: whole(labels, begin, end) },
        results: { nll: column(nll, begin, end), top: whole(top, begin, end) },
      }));
      return { nll, top };
    },
    judge: async (rows, labels, reference, head) => {
      const [nll, kl, topAgrees] = [0, 0, 0].map(() => new Float32Array(labels.length));
      await run(session("judgeGraph"), rows, head, (begin, end) => ({
        feeds: { labels: whole(labels, begin, end), reference: matrix(reference, begin, end) },
        results: {
          nll: column(nll, begin, end),
          kl: column(kl, begin, end),
          top_agrees: column(topAgrees, begin, end),
        },
      }));
      return { nll, kl, topAgrees };
    },
    close: async () => {
      const open = await Promise.allSettled(sessions.values());
      sessions.clear();
      for (const result of open) if (result.status === "fulfilled") await result.value.release();
    },
  };
}
