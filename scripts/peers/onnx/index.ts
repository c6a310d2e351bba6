// onnx checks, onnxruntime computes and onnxruntime-genai generates from what Keystone exports as ONNX: the same logits, the same
// perplexity, the same text.                usage: node scripts/peers/onnx/index.ts     (PYTHON names an interpreter that has all three)
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { architectureOf } from "#engine/architecture/readArchitecture.ts";
import { loadTokenizer } from "#engine/checkpoint/loadTokenizer.ts";
import { openCheckpoint } from "#engine/checkpoint/openCheckpoint.ts";
import { readDocuments } from "#engine/checkpoint/readDocuments.ts";
import { generateGreedy } from "#engine/evaluate/generate.ts";
import { createForward } from "#engine/forward/createForward.ts";
import { runModel } from "../../../test/forward/runModel.ts";
import { exportOnnx } from "./exportOnnx.ts";

const ROOT = join(import.meta.dirname, "..", "..", "..");
const DEMO = join(ROOT, "resources", "demo-model");
const TINY = join(ROOT, "test", "golden", "transformers");
/** Largest difference of a logit, as a share of the largest logit: f32 sums in another order. */
const LOGIT_TOLERANCE = 1e-4;
const PERPLEXITY_TOLERANCE = 0.005;
const [WINDOW, WINDOWS, GENERATED] = [192, 12, 40];
const MATMULNBITS = { codec: "matmulnbits", bits: 4 };

interface Case {
  readonly name: string;
  readonly folder: string;
  readonly recipe: object;
  readonly windows: readonly (readonly number[])[];
  readonly prompt: readonly number[];
  /** Tokens to generate: the tiny models have short contexts. */
  readonly tokens: number;
}

const answer = z.object({ versions: z.record(z.string(), z.string()), generated: z.array(z.number()) });

async function demoCases(): Promise<Case[]> {
  const folder = join(DEMO, "model");
  const tokenizer = await loadTokenizer(folder);
  const documents = await readDocuments(join(DEMO, "eval.jsonl"));
  const bos = tokenizer.bos === null ? [] : [tokenizer.bos];
  const ids = [...bos, ...documents.slice(0, 200).flatMap((text) => tokenizer.encode(text))];
  const windows = Array.from({ length: WINDOWS }, (_, i) => ids.slice(i * WINDOW, (i + 1) * WINDOW));
  const prompt = windows[0].slice(0, 16);
  const superWeight = { restore: [[1, 137, 401]] };
  const recipes: Record<string, object> = {
    "demo, int4 group 64, super weight restored": { ...MATMULNBITS, block: "group:64", ...superWeight },
    "demo, int4 symmetric, group 128 (short blocks)": {
      ...{ ...MATMULNBITS, symmetric: true, block: "group:128" },
      ...superWeight,
    },
    "demo, int8 group 32": { ...MATMULNBITS, bits: 8, block: "group:32" },
    "demo, all int4 group 32, 20 restored a matrix": {
      ...{ ...MATMULNBITS, block: "group:32", keep: [], restore: { largest: 20 } },
    },
  };
  return Object.entries(recipes).map(([name, recipe]) => ({
    ...{ name, folder, recipe, windows, prompt, tokens: GENERATED },
  }));
}

function tinyCases(): Case[] {
  const golden = z.object({ tokens: z.array(z.number()) });
  return [
    ...["llama-llama3", "llama-yarn", "llama-biases", "llama-tied", "llama-dynamic-within"],
    ...["mistral-window", "mistral-no-window", "qwen2", "qwen2-tied", "qwen2-window-layers"],
    ...["phi3", "phi3-partial", "phi3-window", "phi3-longrope-short"],
  ].map((name) => {
    const folder = join(TINY, name);
    const { tokens } = golden.parse(JSON.parse(readFileSync(join(folder, "golden.json"), "utf8")));
    const recipe = { ...MATMULNBITS, block: "group:16" };
    return { name, folder, recipe, windows: [tokens], prompt: tokens.slice(0, 8), tokens: 16 };
  });
}

/** One line of the table; throws where a bound does not hold. */
async function compare(one: Case, out: string): Promise<{ line: string; versions: Record<string, string> }> {
  await exportOnnx(one.folder, one.recipe, out);
  const file = join(out, "..", "logits.f32");
  const job = { folder: out, logits: file, windows: one.windows, prompt: one.prompt, tokens: one.tokens };
  const text = execFileSync(process.env["PYTHON"] ?? "python3", [join(import.meta.dirname, "onnx_peer.py")], {
    input: JSON.stringify(job),
    encoding: "utf8",
    stdio: ["pipe", "pipe", "inherit"],
  });
  const { versions, generated } = answer.parse(JSON.parse(text));
  const theirs = new Float32Array(new Uint8Array(readFileSync(file)).buffer);

  const checkpoint = await openCheckpoint(out);
  const architecture = architectureOf(checkpoint);
  const forward = await createForward(architecture, { device: "cpu", threads: 2 });
  const engine = { checkpoint, architecture, forward };
  const ours: number[] = [];
  for (const window of one.windows) {
    const { logits } = await runModel(architecture, checkpoint, forward, [window]);
    for (const logit of logits) ours.push(logit);
  }
  const config = z
    .object({ model: z.object({ eos_token_id: z.number() }) })
    .parse(JSON.parse(readFileSync(join(out, "genai_config.json"), "utf8")));
  const eos = config.model.eos_token_id;
  const own = await generateGreedy({
    ...{
      ...engine,
      variant: { id: "export", plans: new Map() },
      prompt: one.prompt,
      tokens: one.tokens,
      eos,
    },
    onToken: () => undefined,
  });
  await forward.close();
  await checkpoint.close();

  const { vocabulary } = architecture.facts;
  const scale = ours.reduce((most, logit) => Math.max(most, Math.abs(logit)), 0);
  const apart =
    ours.reduce((most, logit, i) => Math.max(most, Math.abs(logit - (theirs[i] ?? NaN))), 0) / scale;
  const [mine, runtime] = [ours, theirs].map((logits) => perplexity(logits, one.windows, vocabulary));
  const alike = generated.filter((id) => id !== eos).join() === own.join();
  const holds =
    ours.length === theirs.length &&
    apart <= LOGIT_TOLERANCE &&
    Math.abs(runtime / mine - 1) <= PERPLEXITY_TOLERANCE;
  const cells = [
    one.name,
    apart.toExponential(1),
    mine.toFixed(6),
    runtime.toFixed(6),
    alike ? `${own.length} alike` : "DIFFER",
  ];
  const line = `| ${cells.join(" | ")} |`;
  if (!holds || !alike) throw new Error(`A bound does not hold: ${line}`);
  return { line, versions };
}

/** exp of the mean NLL of every token but each window's first. */
function perplexity(
  logits: ArrayLike<number>,
  windows: readonly (readonly number[])[],
  vocabulary: number,
): number {
  let [sum, count, row] = [0, 0, 0];
  for (const window of windows) {
    for (let i = 0; i + 1 < window.length; i++) {
      const scores = Array.from({ length: vocabulary }, (_, id) => logits[(row + i) * vocabulary + id]);
      const most = scores.reduce((a, b) => Math.max(a, b));
      sum += most + Math.log(scores.reduce((a, b) => a + Math.exp(b - most), 0)) - scores[window[i + 1]];
      count++;
    }
    row += window.length;
  }
  return Math.exp(sum / count);
}

const folder = mkdtempSync(join(tmpdir(), "keystone-peers-onnx-"));
try {
  const lines: string[] = [];
  let versions: Record<string, string> = {};
  for (const [i, one] of [...(await demoCases()), ...tinyCases()].entries()) {
    const found = await compare(one, join(folder, `export-${i}`));
    lines.push(found.line);
    versions = found.versions;
  }
  const named = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  console.log(`${named.join(", ")}; Node ${process.versions.node}\n`);
  console.log(
    "| model | largest logit difference / largest logit | perplexity, Keystone | onnxruntime | greedy tokens, onnxruntime-genai |",
  );
  console.log("|---|---|---|---|---|");
  console.log(lines.join("\n"));
} finally {
  rmSync(folder, { recursive: true, force: true });
}
