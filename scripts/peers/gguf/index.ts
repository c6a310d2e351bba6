// llama.cpp loads what Keystone exports as GGUF, cuts texts into the same tokens and computes the same logits; its own quantizer
// makes the same tensors.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { loadTokenizer } from "#engine/formats/tokens/loadTokenizer.ts";
import type { KeptModule } from "#shared/exporting.ts";
import { apart, floatsOf, keystoneLogits, perplexity } from "../logits.ts";
import { DEMO, DEMO_SUPER_WEIGHT, TINY, windowsOf, writeTiny } from "../models.ts";
import { markdownTable, PERPLEXITY_TOLERANCE, type LogitCheck, type Peer, type PeerReport } from "../peer.ts";
import { exportGguf } from "./exportGguf.ts";
import { llama, llamaLibraries, type LlamaLibraries } from "./llamaLibraries.ts";
import { BLOCK_SCHEMES, quantizedAlike } from "./quantizedAlike.ts";
import { vocabulariesAlike } from "./vocabularies.ts";

/**
 * Largest difference of a logit, as a share of the largest logit. F32: the order of sums. F16 and BF16: llama.cpp rounds what
 * goes into a product to that type. Blocks: it rounds that to 8-bit blocks. Random weights amplify what is rounded.
 */
const LOGIT_TOLERANCE = {
  trained: { F32: 1e-4, F16: 1e-3, BF16: 1e-2, blocks: 4e-2 },
  random: { F32: 1e-4, F16: 1e-2, BF16: 5e-2, blocks: 0.15 },
} as const;
type Kind = keyof (typeof LOGIT_TOLERANCE)["random"];
const F32_PERPLEXITY_TOLERANCE = 1e-4;
const ARITHMETIC: Readonly<Record<Kind, string>> = {
  F32: "float32",
  F16: "float16 products",
  BF16: "bfloat16 products",
  blocks: "8-bit blocks",
};
const WINDOWS = 12;
const KEEP_ALL = { scheme: "q8_0", bits: 8, block: "group:32", ignore: ["*"] };
const OWN_FILES = ["Q2_K", "Q3_K_M", "Q4_K_M", "Q5_K_M", "Q6_K", "IQ4_NL", "IQ4_XS"] as const;
const HEAD = [
  ...["model", "stored as", "texts with the same tokens", "largest logit difference (bound)"],
  ...["perplexity here", "in llama.cpp"],
];

const TEXTS: readonly string[] = [
  "The river rose in the night, and by morning the fields were water.",
  "Hello world!  Two  blanks, a tab\tand\n\nlines.",
  "don't we'll I'VE 12 1234 3.14 (a) [b] {c} x_y --z",
  "naïve café, Ångström; Привет мир, 你好世界 🙂",
];

const answer = z.object({ vocabulary: z.number(), tokens: z.array(z.array(z.number())) });

interface Case {
  readonly model: string;
  /** What its matrices are, e.g. `Q4_0, super weight's module Q8_0`. */
  readonly type: string;
  readonly kind: Kind;
  readonly weights: keyof typeof LOGIT_TOLERANCE;
  readonly source: string;
  readonly recipe: object;
  readonly kept?: KeptModule;
  readonly windows: readonly (readonly number[])[];
}

interface Row {
  readonly cells: string[];
  readonly check: LogitCheck;
  readonly failures: string[];
}

/** Exports a case, lets llama.cpp compute it and Keystone too. */
async function compareExport(
  libraries: LlamaLibraries,
  python: string,
  one: Case,
  out: string,
): Promise<Row> {
  const file = await exportGguf(one.source, one.recipe, out, one.kept);
  return compare(libraries, python, { ...one, file }, out);
}

/** Lets llama.cpp compute a file and Keystone too. */
async function compare(
  libraries: LlamaLibraries,
  python: string,
  { model, type, kind, weights, source, windows, file }: Omit<Case, "recipe"> & { readonly file: string },
  out: string,
): Promise<Row> {
  const logits = join(out, "logits.f32");
  const job = { run: { model: file, texts: TEXTS, windows, logits } };
  const { vocabulary, tokens } = answer.parse(llama(libraries, job, python));
  const [ours, theirs] = [await keystoneLogits(file, source, windows), floatsOf(logits)];
  const alike = await textsAlike(source, file, tokens);
  const subject = `${model}, ${type}`;
  const check: LogitCheck = {
    subject,
    arithmetic: ARITHMETIC[kind],
    logits: apart(ours, theirs),
    logitTolerance: LOGIT_TOLERANCE[weights][kind],
    perplexity: {
      ours: perplexity(ours, windows, vocabulary),
      theirs: perplexity(theirs, windows, vocabulary),
    },
    perplexityTolerance: kind === "F32" ? F32_PERPLEXITY_TOLERANCE : PERPLEXITY_TOLERANCE,
  };
  return {
    check,
    cells: [
      ...[model, type, `${alike}/${TEXTS.length}`],
      `${check.logits.toExponential(1)} (${check.logitTolerance})`,
      ...[check.perplexity.ours, check.perplexity.theirs].map((each) => each.toPrecision(6)),
    ],
    failures: alike === TEXTS.length ? [] : [`${subject}: tokens differ`],
  };
}

/** How many texts llama.cpp, and Keystone from the file alone, cut into the tokens of the source's tokenizer. */
async function textsAlike(source: string, file: string, tokens: readonly number[][]): Promise<number> {
  const [tokenizer, alone] = [await loadTokenizer(source), await loadTokenizer(file)];
  const cut = ({ bos, encode }: Pick<typeof tokenizer, "bos" | "encode">, text: string) =>
    [...(bos === null ? [] : [bos]), ...encode(text)].join();
  return TEXTS.filter((text, i) => {
    const expected = cut(tokenizer, text);
    return tokens[i].join() === expected && cut(alone, text) === expected;
  }).length;
}

/** Every type on the demo model, with the super weight's module kept both ways, and once with nothing left out. */
async function demoCases(): Promise<Case[]> {
  const windows = await windowsOf(DEMO, WINDOWS);
  const demo = { model: "demo", source: DEMO, weights: "trained", windows } as const;
  const blocks = BLOCK_SCHEMES.map(([scheme, bits]) => ({ scheme, bits, block: "group:32" }));
  const restored = { restore: [DEMO_SUPER_WEIGHT] };
  const [smallest] = blocks.slice(-1);
  return [
    { ...demo, type: "F16", kind: "F16", recipe: KEEP_ALL },
    {
      ...demo,
      ...{ type: "BF16, judged so", kind: "BF16" },
      recipe: { scheme: "bf16", bits: 16, block: "tensor", ignore: [] },
    },
    ...blocks.map((recipe) => ({
      ...demo,
      ...{ type: recipe.scheme.toUpperCase(), kind: "blocks" as const, recipe: { ...recipe, ...restored } },
    })),
    {
      ...demo,
      ...{ type: "Q4_0, super weight's module Q8_0", kind: "blocks", kept: "8-bit" },
      recipe: { ...smallest, ...restored },
    },
    {
      ...demo,
      ...{ type: "Q4_0, embedding and head too", kind: "blocks" },
      recipe: { ...smallest, ignore: [] },
    },
  ];
}

/** Files that llama.cpp's own quantizer makes of the demo model: mixes of types, most of which Keystone reads and does not write. */
async function ownFiles(libraries: LlamaLibraries, python: string, folder: string): Promise<Row[]> {
  const input = await exportGguf(DEMO, KEEP_ALL, join(folder, "plain"));
  const windows = await windowsOf(DEMO, WINDOWS);
  const rows: Row[] = [];
  for (const type of OWN_FILES) {
    const output = join(folder, `llama-${type}.gguf`);
    llama(libraries, { quantize: { input, output, type, pure: false } }, python);
    const one = { model: "demo, by llama.cpp", source: DEMO, weights: "trained", windows } as const;
    rows.push(await compare(libraries, python, { ...one, type, kind: "blocks", file: output }, folder));
  }
  return rows;
}

/** A tiny model of every family, and every rotary scaling. */
async function tinyCases(folder: string): Promise<Case[]> {
  const cases: Case[] = [];
  for (const [number, tiny] of TINY.entries())
    for (const type of tiny.types) {
      const place = join(folder, `tiny-${number}-${type}`);
      const source = await writeTiny(tiny, type === "Q4_0" ? "F16" : type, place);
      const windows = await windowsOf(source, WINDOWS);
      const one = { model: tiny.name, weights: "random", type, source, windows } as const;
      cases.push(
        type === "Q4_0"
          ? { ...one, kind: "blocks", recipe: { scheme: "q4_0", bits: 4, granularity: "group:32" } }
          : { ...one, kind: type, recipe: KEEP_ALL },
      );
    }
  return cases;
}

async function run(python: string): Promise<PeerReport> {
  const libraries = llamaLibraries();
  const folder = mkdtempSync(join(tmpdir(), "keystone-peers-gguf-"));
  try {
    const rows: Row[] = [];
    for (const [i, one] of [...(await demoCases()), ...(await tinyCases(folder))].entries())
      rows.push(await compareExport(libraries, python, one, join(folder, `export-${i}`)));
    rows.push(...(await ownFiles(libraries, python, folder)));
    const alike = [
      await quantizedAlike(libraries, python, folder),
      await vocabulariesAlike(libraries, python, folder),
    ];
    const table = markdownTable(
      HEAD,
      rows.map(({ cells }) => cells),
    );
    return {
      versions: { ...libraries.versions, Node: process.versions.node },
      text: [table, ...alike.map(({ text }) => text)].join("\n\n"),
      checks: rows.map(({ check }) => check),
      failures: [...rows, ...alike].flatMap(({ failures }) => failures),
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

export const peer: Peer = { title: "llama.cpp", section: "gguf.md#held-against-llamacpp", run };
