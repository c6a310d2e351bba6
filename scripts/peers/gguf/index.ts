// llama.cpp loads what Keystone exports as GGUF, cuts texts into the same tokens and computes the same logits; its own quantizer
// makes the same tensors.                                              usage: node scripts/peers/gguf/index.ts
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { loadTokenizer } from "#engine/checkpoint/loadTokenizer.ts";
import { openCheckpoint } from "#engine/checkpoint/openCheckpoint.ts";
import { readDocuments } from "#engine/checkpoint/readDocuments.ts";
import { exportGguf } from "./exportGguf.ts";
import { keystoneLogits, perplexity } from "./keystoneLogits.ts";
import { llama, llamaLibraries, type LlamaLibraries } from "./llamaLibraries.ts";
import { DEMO, DEMO_TEXT, TINY, writeTiny } from "./models.ts";

/**
 * Largest difference of a logit, as a share of the largest logit. F32: the order of sums. F16 and BF16: llama.cpp rounds what
 * goes into a product to that type. Blocks: it rounds that to 8-bit blocks.
 */
const LOGIT_TOLERANCE: Readonly<Record<string, number>> = { F32: 1e-4, F16: 5e-3, BF16: 5e-2, blocks: 0.1 };
const PERPLEXITY_TOLERANCE = 0.005;
const BLOCK_CODECS = [
  ["q8_0", 8],
  ["q5_1", 5],
  ["q5_0", 5],
  ["q4_1", 4],
  ["q4_0", 4],
] as const;
/** [layer, row, column] of the demo model's super weight. */
const DEMO_SUPER_WEIGHT = [1, 137, 401];
const DEMO_WINDOWS = 12;

const TEXTS: readonly string[] = [
  "The river rose in the night, and by morning the fields were water.",
  "Hello world!  Two  blanks, a tab\tand\n\nlines.",
  "don't we'll I'VE 12 1234 3.14 (a) [b] {c} x_y --z",
  "naïve café, Ångström; Привет мир, 你好世界 🙂",
];

const answer = z.object({ vocabulary: z.number(), tokens: z.array(z.array(z.number())) });

interface Row {
  readonly model: string;
  readonly type: string;
  readonly tokens: string;
  readonly logits: number;
  readonly tolerance: number;
  readonly ours: number;
  readonly theirs: number;
}

/** One export held against llama.cpp. `config` is the source, whose equations both compute. */
async function compare(
  libraries: LlamaLibraries,
  {
    model,
    type,
    source,
    file,
    windows,
  }: { model: string; type: string; source: string; file: string; windows: number[][] },
): Promise<Row> {
  const logits = join(file, "..", "logits.f32");
  const { vocabulary, tokens } = answer.parse(
    llama(libraries, { run: { model: file, texts: TEXTS, windows, logits } }),
  );
  const bytes = readFileSync(logits);
  const theirs = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
  const ours = await keystoneLogits(join(file, ".."), source, windows);
  const tokenizer = await loadTokenizer(source);
  const alone = await loadTokenizer(file);
  const alike = TEXTS.filter((text, i) => {
    const expected = [...(tokenizer.bos === null ? [] : [tokenizer.bos]), ...tokenizer.encode(text)];
    return [tokens[i], [...(alone.bos === null ? [] : [alone.bos]), ...alone.encode(text)]].every(
      (found) => found.join() === expected.join(),
    );
  });
  let difference = ours.length === theirs.length ? 0 : NaN;
  let largest = 0;
  for (let i = 0; i < ours.length; i++) {
    difference = Math.max(difference, Math.abs(ours[i] - theirs[i]));
    largest = Math.max(largest, Math.abs(ours[i]));
  }
  return {
    ...{ model, type },
    tokens: `${alike.length}/${TEXTS.length}`,
    logits: difference / largest,
    tolerance: LOGIT_TOLERANCE[type] ?? LOGIT_TOLERANCE["blocks"],
    ours: perplexity(ours, windows, vocabulary),
    theirs: perplexity(theirs, windows, vocabulary),
  };
}

async function demoRows(libraries: LlamaLibraries, folder: string): Promise<Row[]> {
  const tokenizer = await loadTokenizer(DEMO);
  const documents = await readDocuments(DEMO_TEXT);
  const windows = documents
    .slice(0, DEMO_WINDOWS)
    .map((text) => [tokenizer.bos ?? 0, ...tokenizer.encode(text)].slice(0, 192));
  const rows: Row[] = [];
  const add = async (type: string, recipe: object): Promise<void> => {
    const out = join(folder, `demo-${type}`);
    const file = await exportGguf(DEMO, recipe, out);
    rows.push(await compare(libraries, { model: "demo", type, source: DEMO, file, windows }));
  };
  await add("F16", { codec: "q8_0", bits: 8, block: "group:32", keep: ["*"] });
  for (const [codec, bits] of BLOCK_CODECS)
    await add(codec.toUpperCase(), { codec, bits, block: "group:32", restore: [DEMO_SUPER_WEIGHT] });
  return rows;
}

async function tinyRows(libraries: LlamaLibraries, folder: string): Promise<Row[]> {
  const rows: Row[] = [];
  for (const [number, tiny] of TINY.entries()) {
    for (const type of tiny.types) {
      // llama.cpp looks for Phi-3's own special tokens in whatever is called phi3
      const place = join(folder, `tiny-${number}-${type}`);
      const source = await writeTiny(tiny, type === "Q4_0" ? "F16" : type, place);
      const tokenizer = await loadTokenizer(source);
      const bos = tokenizer.bos === null ? [] : [tokenizer.bos];
      const windows = TEXTS.map((text) => [...bos, ...tokenizer.encode(text)]);
      const recipe =
        type === "Q4_0"
          ? { codec: "q4_0", bits: 4, block: "group:32" }
          : { codec: "q8_0", bits: 8, block: "group:32", keep: ["*"] };
      const file = await exportGguf(source, recipe, `${place}-gguf`);
      rows.push(await compare(libraries, { model: tiny.name, type, source, file, windows }));
    }
  }
  return rows;
}

/** How many tensors of our export are, bit for bit, those that llama.cpp's quantizer makes of our unquantized file. */
async function quantizedAlike(libraries: LlamaLibraries, folder: string): Promise<string[]> {
  const plain = await exportGguf(
    DEMO,
    { codec: "q8_0", bits: 8, block: "group:32", keep: ["*"] },
    join(folder, "demo-plain"),
  );
  const lines: string[] = [];
  for (const [codec, bits] of BLOCK_CODECS) {
    const output = join(folder, `llama-${codec}.gguf`);
    llama(libraries, { quantize: { input: plain, output, type: codec.toUpperCase() } });
    const out = join(folder, `ours-${codec}`);
    await exportGguf(DEMO, { codec, bits, block: "group:32", keep: [] }, out);
    const [theirs, ours] = [await openCheckpoint(output), await openCheckpoint(out)];
    let alike = 0;
    for (const { name, packed } of ours.tensors.values()) {
      const [a, b] = [await ours.readBytes(name), await theirs.readBytes(name)];
      if (theirs.tensors.get(name)?.packed?.codec === packed?.codec && Buffer.compare(a, b) === 0) alike++;
    }
    if (alike !== ours.tensors.size || ours.tensors.size !== theirs.tensors.size)
      throw new Error(`${codec}: ${alike} of ${ours.tensors.size} tensors are llama.cpp's own`);
    lines.push(`${codec.toUpperCase()} ${alike}/${ours.tensors.size}`);
    await Promise.all([ours.close(), theirs.close()]);
  }
  return lines;
}

function failuresOf({ model, type, tokens, logits, tolerance, ours, theirs }: Row): string[] {
  const which = `${model}, ${type}`;
  const perplexityError = Math.abs(theirs / ours - 1);
  return [
    ...(tokens === `${TEXTS.length}/${TEXTS.length}` ? [] : [`${which}: tokens differ`]),
    ...(logits <= tolerance ? [] : [`${which}: logits differ by ${logits}`]),
    ...(perplexityError <= PERPLEXITY_TOLERANCE ? [] : [`${which}: perplexities ${ours} and ${theirs}`]),
  ];
}

/** Runs everything and gives what docs/formats.md shows. @throws Error where llama.cpp does not agree */
export async function ggufPeer(): Promise<string> {
  const libraries = llamaLibraries();
  const folder = mkdtempSync(join(tmpdir(), "keystone-peer-gguf-"));
  try {
    const rows = [...(await demoRows(libraries, folder)), ...(await tinyRows(libraries, folder))];
    const alike = await quantizedAlike(libraries, folder);
    const table = [
      "| model | stored as | texts with the same tokens | largest logit difference (bound) | perplexity here | in llama.cpp |",
      "|---|---|---|---|---|---|",
      ...rows.map(
        ({ model, type, tokens, logits, tolerance, ours, theirs }) =>
          `| ${model} | ${type} | ${tokens} | ${logits.toExponential(1)} (${tolerance}) | ${ours.toPrecision(6)} | ${theirs.toPrecision(6)} |`,
      ),
    ];
    const versions = Object.entries(libraries.versions).map(([name, version]) => `${name} ${version}`);
    const text = [
      `With ${versions.join(", ")}:`,
      table.join("\n"),
      `Tensors equal to those of llama.cpp's own quantizer (pure), bit for bit: ${alike.join(", ")}.`,
    ].join("\n\n");
    const failures = rows.flatMap(failuresOf);
    if (failures.length > 0) throw new Error(`${text}\n\n${failures.join("\n")}`);
    return text;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

if (import.meta.main) console.log(await ggufPeer());
