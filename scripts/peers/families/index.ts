// llama.cpp loads a GGUF export of every family that it has, and computes the same logits: names, metadata, order of rows and
// equations are its own.
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { familyFor } from "#engine/architecture/readArchitecture.ts";
import { openCheckpoint } from "#engine/formats/openCheckpoint.ts";
import { F16_VALUES } from "#engine/numeric/widen.ts";
import { readParts } from "../../../test/support/rewrittenCheckpoint.ts";
import { safetensorsBytes } from "../../../test/support/safetensorsBytes.ts";
import { exportGguf } from "../gguf/exportGguf.ts";
import { llama, llamaLibraries, type LlamaLibraries } from "../gguf/llamaLibraries.ts";
import { apart, floatsOf, keystoneLogits, perplexity } from "../logits.ts";
import { markdownTable, PERPLEXITY_TOLERANCE, type LogitCheck, type Peer, type PeerReport } from "../peer.ts";

const GOLDEN = join(import.meta.dirname, "..", "..", "..", "test", "golden", "families");
const KEEP_ALL = { scheme: "q8_0", bits: 8, granularity: "group:32", ignore: ["*"] };
/** Of the largest logit. Weights are F32; llama.cpp keeps keys and values in f16, and takes GELU from a table of f16. */
const LOGIT_TOLERANCE = 1e-2;
/** Longer than every window of these models. */
const [WINDOWS, TOKENS] = [4, 40];
const answer = z.object({ vocabulary: z.number() });

/** Tokens from a small generator: the same on every machine. */
function windowsOf(vocabulary: number): number[][] {
  let state = 1;
  const next = (): number => (state = (state * 48_271) % 0x7fffffff);
  return Array.from({ length: WINDOWS }, () => Array.from({ length: TOKENS }, () => next() % vocabulary));
}

/** A copy of an F16 checkpoint whose weights are stored as F32. */
async function widened(source: string, folder: string): Promise<string> {
  const { config, tensors } = await readParts(source);
  mkdirSync(folder);
  writeFileSync(join(folder, "config.json"), JSON.stringify(config));
  const wide = Object.entries(tensors).map(([name, { shape, data }]) => {
    const halves = new Uint16Array(Uint8Array.from(data ?? []).buffer);
    const values = Float32Array.from(halves, (bits) => F16_VALUES[bits]);
    return [name, { dtype: "F32", shape, data: new Uint8Array(values.buffer) }] as const;
  });
  writeFileSync(join(folder, "model.safetensors"), safetensorsBytes(Object.fromEntries(wide)));
  return folder;
}

async function compare(
  libraries: LlamaLibraries,
  python: string,
  name: string,
  folder: string,
): Promise<LogitCheck> {
  const source = await widened(join(GOLDEN, name), join(folder, `${name}-f32`));
  const out = join(folder, `${name}-gguf`);
  const model = await exportGguf(source, KEEP_ALL, out);
  const windows = windowsOf(64);
  const logits = join(folder, `${name}.f32`);
  const { vocabulary } = answer.parse(
    llama(libraries, { run: { model, texts: [], windows, logits } }, python),
  );
  const [ours, theirs] = [await keystoneLogits(source, source, windows), floatsOf(logits)];
  return {
    ...{ subject: name, arithmetic: "float32", logits: apart(ours, theirs), logitTolerance: LOGIT_TOLERANCE },
    perplexity: {
      ours: perplexity(ours, windows, vocabulary),
      theirs: perplexity(theirs, windows, vocabulary),
    },
    perplexityTolerance: PERPLEXITY_TOLERANCE,
  };
}

async function hasLlama(name: string): Promise<boolean> {
  const checkpoint = await openCheckpoint(join(GOLDEN, name));
  const { gguf } = familyFor(checkpoint.config);
  await checkpoint.close();
  return gguf !== null;
}

async function run(python: string): Promise<PeerReport> {
  const libraries = llamaLibraries();
  const folder = mkdtempSync(join(tmpdir(), "keystone-peers-families-"));
  try {
    const checks: LogitCheck[] = [];
    for (const name of readdirSync(GOLDEN))
      if (await hasLlama(name)) checks.push(await compare(libraries, python, name, folder));
    return {
      versions: { ...libraries.versions, Node: process.versions.node },
      text: markdownTable(
        ["family", "largest logit difference (bound)", "perplexity here", "in llama.cpp"],
        checks.map(({ subject, logits, perplexity: { ours, theirs } }) => [
          ...[subject, `${logits.toExponential(1)} (${LOGIT_TOLERANCE})`],
          ...[ours, theirs].map((each) => each.toPrecision(6)),
        ]),
      ),
      checks,
      failures: [],
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

export const peer: Peer = { title: "llama.cpp, every family", section: "gguf.md#families-in-llamacpp", run };
