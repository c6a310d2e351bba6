/** What the process of {@link LLAMA_PROGRAM} is told, as JSON on its standard input. */
export interface LlamaJob {
  /** File of node-llama-cpp that is imported. */
  readonly library: string;
  /** The GGUF file. */
  readonly file: string;
  readonly threads: number;
  /** Tokens that it has room for; more than the longest window's. */
  readonly context: number;
  /** Tokens that are run at once. */
  readonly step: number;
  /** A label below 0 is not scored. */
  readonly windows: readonly { readonly ids: readonly number[]; readonly labels: readonly number[] }[];
  readonly texts: readonly string[];
}

/** How it ends where something is not there or does not work: with what it says last on its standard error. */
export const LLAMA_ENDINGS = { noLibrary: 3, notLoaded: 4 } as const;

/**
 * A program of its own, so that what a native library does to its process, it does not do to Keystone's. Plain JavaScript, since
 * the Node that runs it may be any. It writes JSON lines: `{ release }`, `{ tokens: number[][] }` of the texts, then
 * `{ nll: number[] }` for every window, in nats, one for each label. Keys and values are f32, and nothing but the CPU computes.
 */
export const LLAMA_PROGRAM = `
import { pathToFileURL } from "node:url";
// the library tries its binaries in processes of their own, which must not begin with this program
process.execArgv.length = 0;
const say = (line) => process.stdout.write(JSON.stringify(line) + "\\n");
const end = (code, error) => {
  process.stderr.write(String(error?.message ?? error).replaceAll(/\\s+/g, " ") + "\\n");
  process.exit(code);
};
let input = "";
for await (const chunk of process.stdin) input += chunk;
const job = JSON.parse(input);

let llama;
try {
  const { getLlama } = await import(pathToFileURL(job.library).href);
  llama = await getLlama({ gpu: false, build: "never", usePrebuiltBinaries: true, skipDownload: true, progressLogs: false, logLevel: "error", maxThreads: job.threads });
} catch (error) {
  end(${LLAMA_ENDINGS.noLibrary}, error);
}
say({ release: String(llama.llamaCppRelease.release) });

let model, sequence;
try {
  model = await llama.loadModel({ modelPath: job.file, gpuLayers: 0 });
  const context = await model.createContext({
    contextSize: job.context, batchSize: job.step, sequences: 1, threads: job.threads, flashAttention: false,
    experimentalKvCacheKeyType: "F32", experimentalKvCacheValueType: "F32", failedCreationRemedy: false,
  });
  sequence = context.getSequence();
} catch (error) {
  end(${LLAMA_ENDINGS.notLoaded}, error);
}
say({ tokens: job.texts.map((text) => [...model.tokenize(text, true)]) });

for (const { ids, labels } of job.windows) {
  await sequence.clearHistory();
  const nll = [];
  for (let at = 0; at < ids.length; at += job.step) {
    const step = ids.slice(at, at + job.step).map((id, i) => {
      const label = labels[at + i];
      // the label's logit, the largest, and the sum of exp(logit - largest)
      const logits = { filter: { tokens: [label], includeTop: 1 } };
      return label < 0 ? id : [id, { generateNext: { logits, totalLogitWeight: true } }];
    });
    const found = await sequence.controlledEvaluate(step);
    for (const [i, one] of found.entries()) {
      if (labels[at + i] < 0) continue;
      const { logits, totalLogitWeight } = one.next;
      nll.push(Math.max(...logits.values()) + Math.log(totalLogitWeight) - logits.get(labels[at + i]));
    }
  }
  say({ nll });
}
process.exit(0);
`;
