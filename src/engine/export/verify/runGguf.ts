import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdir, stat } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { z } from "zod";
import { createMeter } from "#engine/evaluate/stream/meter.ts";
import { summarize } from "#engine/evaluate/metrics.ts";
import { KeystoneError } from "#shared/errors.ts";
import type { RuntimeScore } from "#shared/exporting.ts";
import { fileSize } from "#shared/format.ts";
import type { RunRequest } from "./runRequest.ts";
import { LLAMA_ENDINGS, LLAMA_PROGRAM, type LlamaJob } from "./llamaProgram.ts";

const NAME = "llama.cpp";
const PACKAGE = "node-llama-cpp";
/** Logits that llama.cpp holds at a time. */
const LOGITS = 2 ** 24;
/** In f32, and once more with their tokens while they are sorted. */
const BYTES_PER_LOGIT = 16;
/** Tokens of the context beyond the longest window: a full one is shifted, and the text's beginning forgotten. */
const SPARE = 16;
/** Keys and values in f32, of a layer's key and value heads. */
const CACHE_BYTES = 2 * Float32Array.BYTES_PER_ELEMENT;

const line = z.union([
  z.object({ release: z.string() }),
  z.object({ tokens: z.array(z.array(z.number())) }),
  z.object({ nll: z.array(z.number()) }),
]);

/**
 * Scores a written GGUF file in llama.cpp, where a person has installed node-llama-cpp for Keystone and there is room for it, in
 * a process of its own; and holds the tokens of some passages against llama.cpp's.
 * @throws KeystoneError export/runtime-failed, export/other-tokens, job/cancelled
 */
export async function runGguf(folder: string, request: RunRequest): Promise<RuntimeScore> {
  const notRun = (why: string): RuntimeScore => ({
    ...{ name: NAME, perplexity: null },
    notRun: `The file was not run in llama.cpp: ${why}.`,
  });
  const library = findLibrary(request.programs);
  if (library === null) return notRun(`${PACKAGE} is not installed`);
  const [name] = (await readdir(folder)).filter((each) => each.endsWith(".gguf"));
  const file = join(folder, name ?? "");
  const job = jobOf(library, file, request);
  const needed = (await stat(file)).size + neededBeside(request, job);
  if (needed > request.memoryBytes)
    return notRun(
      `it needs about ${fileSize(needed)} of memory for it, and ${fileSize(request.memoryBytes)} may be used`,
    );
  const ran = await runProgram(job, request);
  if (ran.ended === LLAMA_ENDINGS.noLibrary) return notRun(`${PACKAGE} does not work here (${ran.reason})`);
  if (ran.ended !== 0) throw failedError(ran.ended, ran.reason);
  requireSameTokens(request.passages, ran.tokens);
  const { perplexity } = summarize(Float32Array.from(ran.nll), request.windows);
  return { name: `${NAME} ${ran.release}`, perplexity, notRun: null };
}

/** The file of node-llama-cpp that is imported; null where it is in none of the folders, nor beside Keystone itself. */
function findLibrary(programs: readonly string[]): string | null {
  for (const from of [import.meta.url, ...programs.map((folder) => join(folder, "package.json"))])
    try {
      return createRequire(from).resolve(PACKAGE);
    } catch {
      // not there: the next place
    }
  return null;
}

function jobOf(library: string, file: string, { windows, passages, threads, model }: RunRequest): LlamaJob {
  const { vocabulary } = model.architecture.facts;
  return {
    ...{ library, file, threads },
    context: SPARE + Math.max(0, ...windows.windows.map(({ ids }) => ids.length)),
    step: Math.max(1, Math.floor(LOGITS / vocabulary)),
    windows: windows.windows.map(({ ids, labels }) => ({ ids: [...ids], labels: [...labels] })),
    texts: passages.map(({ text }) => text),
  };
}

/** Bytes beside the file's: logits, keys and values. */
function neededBeside({ model }: RunRequest, { context, step }: LlamaJob): number {
  const { layers, keyValueHeads, headSize, vocabulary } = model.architecture.facts;
  return step * vocabulary * BYTES_PER_LOGIT + context * layers * keyValueHeads * headSize * CACHE_BYTES;
}

interface Ran {
  /** 0, or a code of the program's endings. */
  readonly ended: number;
  readonly reason: string;
  readonly release: string;
  readonly tokens: readonly (readonly number[])[];
  readonly nll: readonly number[];
}

/** @throws KeystoneError job/cancelled, after the process has ended */
async function runProgram(job: LlamaJob, { watch }: RunRequest): Promise<Ran> {
  // a packaged Electron does not serve as Node; whoever installed the package has one
  const node = process.versions["electron"] === undefined ? process.execPath : "node";
  const child = spawn(node, ["--input-type=module", "--eval", LLAMA_PROGRAM], {
    stdio: ["pipe", "pipe", "pipe"],
  });
  const ended = once(child, "close").then(
    ([code]: unknown[]) => (typeof code === "number" ? code : -1),
    () => LLAMA_ENDINGS.noLibrary,
  );
  let reason = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (reason = text.trim() || reason));
  // a process that has ended takes no input; how it ended is told below
  child.stdin.on("error", () => undefined).end(JSON.stringify(job));
  let [release, tokens]: [string, number[][]] = ["", []];
  const nll: number[] = [];
  try {
    const meter = createMeter(job.windows.length, "windows", watch);
    for await (const text of createInterface({ input: child.stdout })) {
      const said = line.parse(JSON.parse(text));
      if ("release" in said) release = said.release;
      else if ("tokens" in said) tokens = said.tokens;
      else {
        nll.push(...said.nll);
        await meter.advance(1, "running the file in llama.cpp");
      }
    }
    return { ended: await ended, reason: reason.split("\n").at(-1) ?? "", release, tokens, nll };
  } finally {
    child.kill("SIGKILL");
    await ended;
  }
}

function failedError(code: number, reason: string): KeystoneError {
  const how = code === LLAMA_ENDINGS.notLoaded ? "does not load" : "does not run";
  return new KeystoneError(
    "export/runtime-failed",
    `llama.cpp ${how} the written file: ${reason === "" ? `its process ended with ${code}` : reason}`,
    "The export is not kept. Please report it with the recipe; the format safetensors does not depend on a runtime.",
    { runtime: NAME, reason },
  );
}

function requireSameTokens(passages: RunRequest["passages"], found: readonly (readonly number[])[]): void {
  for (const [index, { ids }] of passages.entries()) {
    const other = found[index] ?? [];
    const at = ids.findIndex((id, i) => id !== other[i]);
    if (at < 0 && ids.length === other.length) continue;
    const place = at < 0 ? ids.length : at;
    throw new KeystoneError(
      "export/other-tokens",
      `llama.cpp cuts the text differently: token ${place + 1} of document ${index + 1} is ${other[place] ?? "missing"} instead of ${ids[place] ?? "the end"}.`,
      "The export is not kept. Export as safetensors or onnx, or choose a checkpoint whose tokenizer llama.cpp has.",
      { token: place + 1, document: index + 1 },
    );
  }
}
