// onnxruntime computes what Keystone exports as ONNX, and onnxruntime-genai generates from it.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { architectureOf } from "#engine/architecture/readArchitecture.ts";
import { openCheckpoint } from "#engine/formats/openCheckpoint.ts";
import { generate } from "#engine/evaluate/generate/generate.ts";
import { createForward } from "#engine/forward/createForward.ts";
import { exportAs } from "../exportAs.ts";
import { apart, floatsOf, keystoneLogits, perplexity } from "../logits.ts";
import { DEMO, DEMO_SUPER_WEIGHT, windowsOf } from "../models.ts";
import { askPython } from "../python.ts";
import { markdownTable, type LogitCheck, type Peer, type PeerReport } from "../peer.ts";

const TINY = join(import.meta.dirname, "..", "..", "..", "test", "golden", "transformers");
/** Largest difference of a logit, as a share of the largest logit: f32 sums in another order. */
const LOGIT_TOLERANCE = 1e-4;
const PERPLEXITY_TOLERANCE = 1e-5;
const [WINDOWS, PROMPT, GENERATED] = [12, 16, 40];
const MATMULNBITS = { scheme: "matmulnbits", bits: 4 };
const HEAD = [
  ...["model", `largest logit difference (bound ${LOGIT_TOLERANCE})`, "perplexity here", "in onnxruntime"],
  "greedy tokens, onnxruntime-genai",
];

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
type Answer = z.infer<typeof answer>;

/** Every scheme and width, with and without zero points, short blocks and exact weights. */
async function demoCases(): Promise<Case[]> {
  const windows = await windowsOf(DEMO, WINDOWS);
  const prompt = windows[0].slice(0, PROMPT);
  const restored = { restore: [DEMO_SUPER_WEIGHT] };
  const recipes: Record<string, object> = {
    "int4 group 64, super weight restored": { ...MATMULNBITS, ...restored, granularity: "group:64" },
    "int4 symmetric, group 128 (short blocks), super weight restored": {
      ...{ ...MATMULNBITS, ...restored, symmetric: true, granularity: "group:128" },
    },
    "int4 group 64, super weight not restored": { ...MATMULNBITS, granularity: "group:64" },
    "int8 group 32": { ...MATMULNBITS, bits: 8, granularity: "group:32" },
    "int8 symmetric, group 256 (short blocks)": {
      ...{ ...MATMULNBITS, bits: 8, symmetric: true, granularity: "group:256" },
    },
    "all int4 group 32, 20 restored a matrix": {
      ...{ ...MATMULNBITS, granularity: "group:32", ignore: [], restore: { largest: 20 } },
    },
    "scheme int, int4 group 64, mse, super weight restored": {
      ...{ scheme: "int", bits: 4, granularity: "group:64", range: { method: "mse" }, ...restored },
    },
    "scheme compressed-tensors, int4 symmetric, group 64, super weight restored": {
      ...{ scheme: "compressed-tensors", bits: 4, symmetric: true, granularity: "group:64", ...restored },
    },
  };
  return Object.entries(recipes).map(([says, recipe]) => ({
    ...{ name: `demo, ${says}`, folder: DEMO, recipe, windows, prompt, tokens: GENERATED },
  }));
}

/** Tiny models of every family and variation, without exact weights and with five in each matrix. */
function tinyCases(): Case[] {
  const golden = z.object({ tokens: z.array(z.number()) });
  return [
    ...["llama-llama3", "llama-yarn", "llama-biases", "llama-tied", "llama-dynamic-within"],
    ...["mistral-window", "mistral-no-window", "qwen2", "qwen2-tied", "qwen2-window-layers"],
    ...["phi3", "phi3-partial", "phi3-window", "phi3-longrope-short"],
  ].flatMap((name) => {
    const folder = join(TINY, name);
    const { tokens } = golden.parse(JSON.parse(readFileSync(join(folder, "golden.json"), "utf8")));
    const one = { folder, windows: [tokens], prompt: tokens.slice(0, 8), tokens: 16 };
    const recipe = { ...MATMULNBITS, granularity: "group:16" };
    return [
      { ...one, name, recipe },
      { ...one, name: `${name}, 5 restored a matrix`, recipe: { ...recipe, restore: { largest: 5 } } },
    ];
  });
}

function load(python: string, { windows, prompt, tokens }: Case, folder: string, logits: string): Answer {
  const script = join(import.meta.dirname, "onnx_peer.py");
  return answer.parse(askPython(python, script, { folder, logits, windows, prompt, tokens }));
}

/** What Keystone generates from an export, and the token that ends a text there. */
async function generated({ prompt, tokens }: Case, out: string): Promise<{ own: number[]; eos: number }> {
  const config = z
    .object({ model: z.object({ eos_token_id: z.number() }) })
    .parse(JSON.parse(readFileSync(join(out, "genai_config.json"), "utf8")));
  const eos = config.model.eos_token_id;
  const checkpoint = await openCheckpoint(out);
  const architecture = architectureOf(checkpoint);
  const forward = await createForward(architecture, { device: "cpu", threads: 2 });
  try {
    const engine = { checkpoint, architecture, forward };
    const variant = { id: "export", plans: new Map() };
    const [own] = await generate({ ...engine, variants: [variant], prompts: [prompt], tokens, ends: [eos] });
    return { own: [...own.ids], eos };
  } finally {
    await forward.close();
    await checkpoint.close();
  }
}

interface Row {
  readonly cells: string[];
  readonly check: LogitCheck;
  readonly failures: string[];
  readonly versions: Answer["versions"];
}

async function compare(python: string, one: Case, out: string): Promise<Row> {
  await exportAs(one.folder, one.recipe, out, { format: "onnx" });
  const file = join(out, "..", "logits.f32");
  const { versions, generated: theirTokens } = load(python, one, out, file);
  const [ours, theirs] = [await keystoneLogits(out, out, one.windows), floatsOf(file)];
  const vocabulary = ours.length / one.windows.reduce((sum, { length }) => sum + length, 0);
  const { own, eos } = await generated(one, out);
  const alike = own.length > 0 && theirTokens.filter((id) => id !== eos).join() === own.join();
  const check: LogitCheck = {
    subject: one.name,
    arithmetic: "float32",
    logits: apart(ours, theirs),
    logitTolerance: LOGIT_TOLERANCE,
    perplexity: {
      ours: perplexity(ours, one.windows, vocabulary),
      theirs: perplexity(theirs, one.windows, vocabulary),
    },
    perplexityTolerance: PERPLEXITY_TOLERANCE,
  };
  return {
    ...{ check, versions },
    cells: [
      ...[one.name, check.logits.toExponential(1)],
      ...[check.perplexity.ours, check.perplexity.theirs].map((each) => each.toPrecision(8)),
      alike ? `${own.length} alike` : "DIFFER",
    ],
    failures: alike ? [] : [`${one.name}: onnxruntime-genai generates other tokens`],
  };
}

async function run(python: string): Promise<PeerReport> {
  const place = mkdtempSync(join(tmpdir(), "keystone-peers-onnx-"));
  try {
    const rows: Row[] = [];
    for (const [i, one] of [...(await demoCases()), ...tinyCases()].entries())
      rows.push(await compare(python, one, join(place, `export-${i}`)));
    return {
      versions: { ...rows[0].versions, Node: process.versions.node },
      text: markdownTable(
        HEAD,
        rows.map(({ cells }) => cells),
      ),
      checks: rows.map(({ check }) => check),
      failures: rows.flatMap(({ failures }) => failures),
    };
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}

export const peer: Peer = { title: "onnxruntime and onnxruntime-genai", section: "onnx.md#peers", run };
