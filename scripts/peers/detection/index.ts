// Detection by effect on a trained model that others made: what it loses without each weight, column and row, held to a NumPy
// forward pass over the same tokens.
import { join } from "node:path";
import { z } from "zod";
import { detectOptions, type Candidate, type DetectReport } from "#shared/detection.ts";
import { judge } from "#shared/plan.ts";
import { cutWindows } from "#engine/evaluate/windows/windows.ts";
import { detect } from "#engine/superweight/detect.ts";
import { PASSAGE, PASSAGE_NAME, PASSAGE_TOKENS } from "#engine/superweight/passage.ts";
import { openModelAt } from "../../../test/support/openModelAt.ts";
import { markdownTable, type Peer, type PeerReport } from "../peer.ts";
import { askPython } from "../python.ts";
import { smolLm2 } from "../smolLm2.ts";

/** Of a KL that counts. */
const KL_TOLERANCE = 0.02;
/** KL below which two float32 passes agree only in their absolute size, nats. */
const SMALL_KL = 1e-3;

/** The verdicts that an independent look at this model came to. */
const FIRST = [11, 507, 1229].join();
const SECOND = [2, 507, 90].join();

const answer = z.object({
  nll: z.number(),
  results: z.array(z.object({ kl: z.number(), nll: z.number() })),
});

interface Compared {
  readonly name: string;
  readonly ours: number;
  readonly theirs: number;
}

/** Every grain that detection measured: [layer, row, column], null where all of a row or column is zeroed. */
function questions(found: readonly Candidate[]) {
  return found.flatMap(({ layer, row, column, effect }) => {
    const asked = (name: string, kl: number | null | undefined, place: (number | null)[]) =>
      kl == null ? [] : [{ name: `layer ${layer} ${name}`, ours: kl, place: [layer, ...place] }];
    return [
      ...asked(`[${row}, ${column}]`, effect?.kl, [row, column]),
      ...asked(`column ${column}`, effect?.column?.kl, [null, column]),
      ...asked(`row ${row}`, effect?.row?.kl, [row, null]),
    ];
  });
}

function agrees({ ours, theirs }: Compared): boolean {
  return Math.abs(ours - theirs) <= Math.max(KL_TOLERANCE * theirs, KL_TOLERANCE * SMALL_KL);
}

async function run(python: string): Promise<PeerReport> {
  const path = smolLm2();
  const model = await openModelAt(path);
  const { contextLength } = model.architecture.facts;
  const windows = cutWindows(
    [PASSAGE],
    model.tokenizer,
    judge.parse({ context: PASSAGE_TOKENS + 1, tokens: 1 }),
    contextLength,
  );
  let report: DetectReport;
  try {
    report = await detect({
      ...model,
      options: detectOptions.parse({}),
      text: { name: PASSAGE_NAME, windows },
    });
  } finally {
    await model.close();
  }
  const [window] = windows.windows;
  const ids = [...window.ids, window.labels[window.labels.length - 1]];
  const asked = questions([...report.superWeights, ...report.candidates]);
  const unique = asked.filter(({ name }, i) => asked.findIndex((it) => it.name === name) === i);
  const theirs = answer.parse(
    askPython(python, join(import.meta.dirname, "reference.py"), {
      model: path,
      ids,
      zeroed: unique.map(({ place }) => place),
    }),
  );
  const compared = unique.map(({ name, ours }, i): Compared => ({
    name,
    ours,
    theirs: theirs.results[i].kl,
  }));
  const order = report.superWeights.map(({ layer, row, column }) => [layer, row, column].join());
  const belowNull = report.superWeights.filter(
    ({ effect }) => (effect?.kl ?? Infinity) <= (report.judged?.null.kl ?? NaN),
  );
  const failures = [
    ...compared
      .filter((it) => !agrees(it))
      .map((it) => `${it.name}: KL ${it.ours} here, ${it.theirs} in NumPy`),
    ...(order[0] === FIRST ? [] : [`the first super weight is ${order[0]}, not ${FIRST}`]),
    ...(order[1] === SECOND ? [] : [`the second super weight is ${order[1]}, not ${SECOND}`]),
    ...belowNull.map(({ reason }) => `called super below the null: ${reason}`),
  ];
  const rows = compared.map(({ name, ours, theirs: reference }) => [
    name,
    ours.toPrecision(4),
    reference.toPrecision(4),
    `${(100 * (ours / reference - 1)).toFixed(2)} %`,
  ]);
  return {
    versions: { model: "SmolLM2-135M-Instruct Q4_1" },
    text: `${report.finding.text}\n\n${report.judged?.tokens ?? 0} tokens of ${PASSAGE_NAME}; KL in nats per token, each grain zeroed alone.\n\n${markdownTable(["without", "Keystone", "NumPy", "difference"], rows)}`,
    checks: [
      {
        subject: "SmolLM2-135M, the passage",
        arithmetic: "float32",
        logits: null,
        logitTolerance: null,
        perplexity: { ours: report.judged?.perplexity ?? NaN, theirs: Math.exp(theirs.nll) },
        perplexityTolerance: 1e-3,
      },
    ],
    failures,
  };
}

export const peer: Peer = {
  title: "Detection beside a NumPy forward pass",
  section: "detection.md#held-against-a-numpy-forward-pass",
  run,
};
