// transformers with compressed-tensors and GPT-QModel load what Keystone exports as compressed-tensors, GPTQ and AWQ: their unpacking
// gives the very weights that were judged, and they compute the same logits and perplexities.
//                                                    usage: node scripts/peers/packed/index.ts     (PYTHON names an interpreter that has them)
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { loadTokenizer } from "#engine/checkpoint/loadTokenizer.ts";
import { readDocuments } from "#engine/checkpoint/readDocuments.ts";
import type { ExportFormat, KeptModule } from "#shared/exporting.ts";
import { keystoneLogits, perplexity } from "../gguf/keystoneLogits.ts";
import { DEMO, DEMO_TEXT, TINY, writeTiny } from "../gguf/models.ts";
import { exportAs } from "../exportAs.ts";

/** Largest difference of a logit, as a share of the largest logit. From unpacked weights in f32: the order of sums. */
const UNPACKED_TOLERANCE = 1e-4;
/** As the library runs it: every product and every activation is rounded to the model's half type. */
const RUNTIME_TOLERANCE: Readonly<Record<string, number>> = { float16: 2e-2, bfloat16: 1e-1 };
/** From unpacked weights and as it runs; random models in BF16 are scored on some eighty tokens, and BF16 has 8 bits. */
const PERPLEXITY_TOLERANCE: Readonly<Record<string, number>> = {
  float32: 5e-3,
  float16: 5e-3,
  bfloat16: 1e-2,
};
const DEMO_WINDOWS = 12;
const FAMILIES = ["llama", "mistral", "qwen2", "phi3"];
/** [layer, row, column] of the demo model's super weight. */
const SUPER_WEIGHT = { restore: [[1, 137, 401]] };

const TEXTS: readonly string[] = [
  "The river rose in the night, and by morning the fields were water.",
  "Hello world!  Two  blanks, a tab\tand\n\nlines.",
  "don't we'll I'VE 12 1234 3.14 (a) [b] {c} x_y --z",
];

interface Case {
  readonly model: string;
  readonly source: string;
  readonly format: ExportFormat;
  readonly kept?: KeptModule;
  /** transformers, but where a module has bits of its own: its GPTQ loader knows one width. */
  readonly loader?: "gptqmodel";
  readonly recipe: object;
  readonly says: string;
  readonly windows: readonly (readonly number[])[];
}

const CT = { codec: "compressed-tensors", bits: 4 };
const GPTQ = { codec: "gptq", bits: 4, symmetric: true };
const AWQ = { codec: "awq", bits: 4 };

async function demoCases(): Promise<Case[]> {
  const tokenizer = await loadTokenizer(DEMO);
  const documents = await readDocuments(DEMO_TEXT);
  const windows = documents
    .slice(0, DEMO_WINDOWS)
    .map((text) => [tokenizer.bos ?? 0, ...tokenizer.encode(text)].slice(0, 192));
  const one = { model: "demo", source: DEMO, windows };
  const whole = (recipe: object) => ({ ...recipe, ...SUPER_WEIGHT });
  return [
    {
      ...one,
      format: "compressed-tensors",
      says: "int4 sym, group 64",
      recipe: whole({ ...CT, symmetric: true, block: "group:64" }),
    },
    {
      ...one,
      format: "compressed-tensors",
      kept: "8-bit",
      says: "int4 sym, group 64, mse, super weight's module int8",
      recipe: whole({ ...CT, symmetric: true, block: "group:64", clip: { method: "mse" } }),
    },
    {
      ...one,
      format: "compressed-tensors",
      says: "int8, channel",
      recipe: { ...CT, bits: 8, block: "channel" },
    },
    { ...one, format: "gptq", says: "int4 sym, group 64", recipe: whole({ ...GPTQ, block: "group:64" }) },
    {
      ...one,
      format: "gptq",
      loader: "gptqmodel",
      kept: "8-bit",
      says: "int4 sym, group 32, super weight's module int8",
      recipe: whole({ ...GPTQ, block: "group:32" }),
    },
    {
      ...one,
      format: "gptq",
      says: "int4 (v2), group 32",
      recipe: { ...GPTQ, symmetric: false, block: "group:32" },
    },
    { ...one, format: "gptq", says: "int8 sym, channel", recipe: { ...GPTQ, bits: 8, block: "channel" } },
    { ...one, format: "awq", says: "int4, group 64", recipe: whole({ ...AWQ, block: "group:64" }) },
  ];
}

async function tinyCases(folder: string): Promise<Case[]> {
  const cases: Case[] = [];
  for (const tiny of TINY.filter(({ name }) => FAMILIES.includes(name))) {
    for (const storage of ["F16", "BF16"] as const) {
      // Phi-3's class would have a padding token of its own beyond these vocabularies
      const options = { ...tiny.options, config: { ...tiny.options.config, pad_token_id: 0 } };
      const source = await writeTiny(
        { ...tiny, options },
        storage,
        join(folder, `tiny-${tiny.name}-${storage}`),
      );
      const tokenizer = await loadTokenizer(source);
      const bos = tokenizer.bos === null ? [] : [tokenizer.bos];
      const windows = TEXTS.map((text) => [...bos, ...tokenizer.encode(text)]);
      const one = { model: `tiny ${tiny.name}, ${storage}`, source, windows, says: "int4, group 32" };
      cases.push(
        { ...one, format: "compressed-tensors", recipe: { ...CT, block: "group:32" } },
        { ...one, format: "gptq", says: "int4 sym, group 32", recipe: { ...GPTQ, block: "group:32" } },
        { ...one, format: "awq", recipe: { ...AWQ, block: "group:32" } },
      );
    }
  }
  return cases;
}

const answer = z.object({
  versions: z.record(z.string(), z.string()),
  jobs: z.array(z.object({ modules: z.number(), alike: z.number(), dtype: z.string() })),
});

interface Job {
  readonly one: Case;
  readonly folder: string;
  readonly plain: string;
  readonly logits: { readonly runtime: string; readonly unpacked: string };
}

/** Exports a case, and what Keystone reads of the export as a plain checkpoint. */
async function exportCase(one: Case, place: string): Promise<Job> {
  const [folder, plain] = [join(place, "packed"), join(place, "plain")];
  const { format, kept } = one;
  await exportAs(one.source, one.recipe, folder, { format, ...(kept ? { kept } : {}) });
  await exportAs(folder, { codec: "rtn", bits: 4, block: "channel", keep: ["*"] }, plain, {
    format: "safetensors",
  });
  const logits = { runtime: join(place, "runtime.f32"), unpacked: join(place, "unpacked.f32") };
  return { one, folder, plain, logits };
}

function floatsOf(path: string): Float32Array {
  return new Float32Array(new Uint8Array(readFileSync(path)).buffer);
}

/** Largest difference as a share of the largest logit; NaN where there are not as many. */
function apart(ours: Float32Array, theirs: Float32Array): number {
  let difference = ours.length === theirs.length ? 0 : NaN;
  let largest = 0;
  for (let i = 0; i < ours.length; i++) {
    difference = Math.max(difference, Math.abs(ours[i] - theirs[i]));
    largest = Math.max(largest, Math.abs(ours[i]));
  }
  return difference / largest;
}

function near(ours: number, theirs: number, type: string): boolean {
  return Math.abs(theirs / ours - 1) <= (PERPLEXITY_TOLERANCE[type] ?? NaN);
}

/** One line of the table and what does not hold in it. */
async function judge(
  { one, folder, logits }: Job,
  { modules, alike, dtype }: z.infer<typeof answer>["jobs"][number],
): Promise<{ line: string; failures: string[] }> {
  const ours = await keystoneLogits(folder, folder, one.windows);
  const [unpacked, runtime] = [floatsOf(logits.unpacked), floatsOf(logits.runtime)];
  const positions = one.windows.reduce((sum, { length }) => sum + length, 0);
  const vocabulary = ours.length / positions;
  const [mine, exactly, theirs] = [ours, unpacked, runtime].map((values) =>
    perplexity(values, one.windows, vocabulary),
  );
  const bound = RUNTIME_TOLERANCE[dtype] ?? NaN;
  const [exact, loose] = [apart(ours, unpacked), apart(ours, runtime)];
  const loader = one.loader === "gptqmodel" ? "GPT-QModel" : "transformers";
  const cells = [
    ...[one.model, one.format, one.says, loader, `${alike}/${modules}`],
    ...[exact.toExponential(1), `${loose.toExponential(1)} (${dtype}, ${bound})`],
    ...[mine.toPrecision(6), theirs.toPrecision(6)],
  ];
  const line = `| ${cells.join(" | ")} |`;
  const failures = [
    ...(alike === modules && modules > 0 ? [] : ["unpacked weights differ"]),
    ...(exact <= UNPACKED_TOLERANCE ? [] : ["logits of the unpacked weights differ"]),
    ...(loose <= bound ? [] : ["logits as run differ"]),
    ...(near(mine, exactly, "float32") && near(mine, theirs, dtype) ? [] : ["perplexities differ"]),
  ];
  return { line, failures: failures.map((failure) => `${failure}: ${line}`) };
}

const place = mkdtempSync(join(tmpdir(), "keystone-peers-packed-"));
try {
  const cases = [...(await demoCases()), ...(await tinyCases(place))];
  const jobs: Job[] = [];
  for (const [i, one] of cases.entries()) jobs.push(await exportCase(one, join(place, `case-${i}`)));
  const input = jobs.map(({ one, folder, plain, logits }) => {
    const { format, windows, loader = "transformers", recipe } = one;
    const dequantize = format === "compressed-tensors" && !("symmetric" in recipe);
    return { folder, plain, format, loader, dequantize, windows, logits };
  });
  const text = execFileSync(
    process.env["PYTHON"] ?? "python3",
    [join(import.meta.dirname, "packed_peer.py")],
    {
      input: JSON.stringify(input),
      encoding: "utf8",
      stdio: ["pipe", "pipe", "inherit"],
      maxBuffer: 64 * 2 ** 20,
    },
  );
  const { versions, jobs: done } = answer.parse(JSON.parse(text));
  const named = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  console.log(`${named.join(", ")}; Node ${process.versions.node}\n`);
  console.log(
    `| model | format | recipe | loaded by | modules unpacked to the judged bits | logits from these in f32 (bound ${UNPACKED_TOLERANCE}) | logits as it runs (type, bound) | perplexity here | there, as it runs |`,
  );
  console.log("|---|---|---|---|---|---|---|---|---|");
  const failures: string[] = [];
  for (const [i, job] of jobs.entries()) {
    const { line, failures: found } = await judge(job, done[i]);
    console.log(line);
    failures.push(...found);
  }
  if (failures.length > 0) throw new Error(`Bounds do not hold:\n${failures.join("\n")}`);
} finally {
  rmSync(place, { recursive: true, force: true });
}
