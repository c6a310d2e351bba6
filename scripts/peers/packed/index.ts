// transformers with compressed-tensors and GPT-QModel load what Keystone exports as compressed-tensors, GPTQ and AWQ: their unpacking
// gives the very weights that were judged, and they compute the same logits and perplexities.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { apart, floatsOf, keystoneLogits, perplexity } from "../logits.ts";
import { exportAs } from "../exportAs.ts";
import { markdownTable, PERPLEXITY_TOLERANCE, type LogitCheck, type Peer, type PeerReport } from "../peer.ts";
import { askPython } from "../python.ts";
import { packedCases, type Case } from "../packedCases.ts";

/** Largest difference of a logit, as a share of the largest logit. From unpacked weights in f32: the order of sums. */
const UNPACKED_TOLERANCE = 1e-4;
const UNPACKED_PERPLEXITY_TOLERANCE = 1e-4;
/** As the library runs it: every product and every activation is rounded to the model's type, which random weights amplify. */
const RUNTIME_TOLERANCE: Readonly<Record<string, number>> = {
  float32: UNPACKED_TOLERANCE,
  float16: 2e-2,
  bfloat16: 0.15,
};
const HEAD = [
  ...["model", "format", "recipe", "loaded by", "modules unpacked to the judged bits"],
  `logits in f32 (bound ${UNPACKED_TOLERANCE})`,
  "logits as it runs (type, bound)",
  ...["perplexity here", "there in f32", "there as it runs"],
];

const answer = z.object({
  versions: z.record(z.string(), z.string()),
  jobs: z.array(z.object({ modules: z.number(), alike: z.number(), dtype: z.string() })),
});
type Answer = z.infer<typeof answer>;

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
  await exportAs(folder, { scheme: "affine", bits: 4, granularity: "channel", ignore: ["*"] }, plain, {
    format: "safetensors",
  });
  const logits = { runtime: join(place, "runtime.f32"), unpacked: join(place, "unpacked.f32") };
  return { one, folder, plain, logits };
}

function load(python: string, jobs: readonly Job[]): Answer {
  const input = jobs.map(({ one, folder, plain, logits }) => {
    const { format, windows, loader = "transformers" } = one;
    return { folder, plain, format, loader, windows, logits };
  });
  return answer.parse(askPython(python, join(import.meta.dirname, "packed_peer.py"), input));
}

/** One line of the table, and what it is held to. */
async function judge(
  { one, folder, logits }: Job,
  { modules, alike, dtype }: Answer["jobs"][number],
): Promise<{ row: string[]; checks: LogitCheck[]; failures: string[] }> {
  const ours = await keystoneLogits(folder, folder, one.windows);
  const positions = one.windows.reduce((sum, { length }) => sum + length, 0);
  const subject = `${one.model}, ${one.format}, ${one.says}`;
  const [mine, exact, asRun] = [ours, floatsOf(logits.unpacked), floatsOf(logits.runtime)].map((values) => ({
    values,
    perplexity: perplexity(values, one.windows, ours.length / positions),
  }));
  const check = (
    theirs: typeof mine,
    rest: Pick<LogitCheck, "arithmetic" | "logitTolerance" | "perplexityTolerance">,
  ) => ({
    ...rest,
    subject,
    logits: apart(ours, theirs.values),
    perplexity: { ours: mine.perplexity, theirs: theirs.perplexity },
  });
  const inF32 = check(exact, {
    arithmetic: "float32, from its unpacked weights",
    logitTolerance: UNPACKED_TOLERANCE,
    perplexityTolerance: UNPACKED_PERPLEXITY_TOLERANCE,
  });
  const runtime = check(asRun, {
    arithmetic: dtype,
    logitTolerance: RUNTIME_TOLERANCE[dtype] ?? NaN,
    perplexityTolerance: dtype === "float32" ? UNPACKED_PERPLEXITY_TOLERANCE : PERPLEXITY_TOLERANCE,
  });
  const loader = one.loader === "gptqmodel" ? "GPT-QModel" : "transformers";
  return {
    row: [
      ...[one.model, one.format, one.says, loader, `${alike}/${modules}`, inF32.logits.toExponential(1)],
      `${runtime.logits.toExponential(1)} (${dtype}, ${runtime.logitTolerance})`,
      ...[mine, exact, asRun].map((each) => each.perplexity.toPrecision(6)),
    ],
    checks: [inF32, runtime],
    failures:
      alike === modules && modules > 0 ? [] : [`${subject}: ${alike} of ${modules} modules unpack alike`],
  };
}

async function run(python: string): Promise<PeerReport> {
  const place = mkdtempSync(join(tmpdir(), "keystone-peers-packed-"));
  try {
    const jobs: Job[] = [];
    for (const [i, one] of (await packedCases(place)).entries())
      jobs.push(await exportCase(one, join(place, `case-${i}`)));
    const { versions, jobs: done } = load(python, jobs);
    const judged: Awaited<ReturnType<typeof judge>>[] = [];
    for (const [i, job] of jobs.entries()) judged.push(await judge(job, done[i]));
    return {
      versions,
      text: markdownTable(
        HEAD,
        judged.map(({ row }) => row),
      ),
      checks: judged.flatMap(({ checks }) => checks),
      failures: judged.flatMap(({ failures }) => failures),
    };
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}

export const peer: Peer = {
  title: "transformers and GPT-QModel",
  section: "peers.md#transformers-and-gpt-qmodel",
  run,
};
