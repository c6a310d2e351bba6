import { textsOf } from "#shared/notes.ts";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { cancelledError } from "#shared/errors.ts";
import { labFigures } from "#shared/lab/index.ts";
import { paletteOf, type Figure } from "#shared/figures/index.ts";
import type { Progress } from "#shared/contract/job.ts";
import type { LabReportOf } from "#shared/lab/index.ts";
import { expectNear, expectWithin } from "../golden-model/bounds.ts";
import { figures, FIGURES_JUDGE, openDemo, type Demo } from "../golden-model/demoModel.ts";
import { DEMO_LOGITS, divergenceBound, expectSum, float32Bound } from "../support/rounding.ts";
import { runLab, LAST_WORD, TEXT, type Conducted } from "./labRun.ts";

const DESTROYED_NLL_BOUND = 1e-2;
const PERPLEXITY_BOUND = 1e-3;
/** f32 sums of another order, against PyTorch: a share. */
const ACTIVATION_BOUND = 1e-4;
const WILD_ACTIVATION_BOUND = 5e-3;
/** A share: a probability is off by the share by which its logarithm is. */
const PROBABILITY_BOUND = float32Bound(DEMO_LOGITS);
/** The pruned model's activations have gone wild, and round as they are. */
const WILD_PROBABILITY_BOUND = WILD_ACTIVATION_BOUND;

const peak = z.object({ value: z.number(), token: z.number(), channel: z.number() });
const shift = z.object({ original: z.number(), pruned: z.number() });
const token = shift.extend({ id: z.number() });
const reference = z
  .object({
    prompts: z.array(z.number()),
    states: z.array(z.array(z.array(peak))),
    contexts: z.array(z.string()),
    tokens: z.object({
      kl: z.number(),
      entropy: shift,
      stopWords: shift,
      gain: z.array(token),
      lose: z.array(token),
      listed: z.array(token),
    }),
  })
  .parse(JSON.parse(readFileSync(join(import.meta.dirname, "../golden/lab/demo.json"), "utf8")));

let demo: Demo;
beforeAll(async () => {
  demo = await openDemo();
});
afterAll(() => demo.close());

/** Each report follows from the one before: progress is one, and ends where it said. */
function expectOneProgress(progress: readonly Progress[]): void {
  const done = progress.map((at) => at.done);
  expect(done).toEqual(done.toSorted((a, b) => a - b));
  const last = progress.at(-1);
  expect(last?.done).toBe(last?.total);
  expect(last?.secondsLeft).toBe(0);
}

describe("importance", () => {
  let found: Conducted<"importance">;
  beforeAll(async () => {
    found = await runLab(demo, "importance", {
      text: TEXT,
      judge: { tokens: 600 },
      tasks: [LAST_WORD],
      taskLimit: 20,
    });
  });

  it("scores the paper's rows and a random control", () => {
    expect(found.report.rows.map(({ name, weights }) => [name, weights])).toEqual([
      ["original", 0],
      ["super weights pruned", 1],
      ["super weights pruned, super activation kept", 1],
      ["largest other weights pruned", 50],
      ["random other weights pruned", 50],
    ]);
    const [original, pruned, , largest, random] = found.report.rows.map((row) => row.perplexity ?? NaN);
    expect(pruned > 1000 * original).toBe(true);
    expectWithin(largest, original, 0.05, "largest others");
    expectWithin(random, original, 0.001, "random others");
  });

  it("recovers everything by keeping the super activation, in accuracy, and says what the paper's is", () => {
    const accuracy = found.report.rows.map(({ tasks }) => tasks?.[0]?.accuracy);
    expect(accuracy[0]).toBe(1);
    expect(accuracy[1]).toBeLessThan(0.8);
    expect(found.report.recovered).toBe(1);
    expect(textsOf(found.report.notes).join(" ")).toMatch(
      /mean accuracy over the tasks.*about 42%.*recovers everything/,
    );
    expect(found.report.finding.text).toMatch(
      /^Removing 1 of 4,951,296 parameters multiplies perplexity by /,
    );
  });

  it("answers no more task items than asked", () => {
    for (const { tasks } of found.report.rows) expect(tasks?.[0]?.n).toBe(20);
  });

  it("tells every row as soon as it is scored, with one progress over all passes", () => {
    expect(found.told.map(({ rows, complete }) => [rows.length, complete])).toEqual(
      [1, 2, 3, 4, 5].map((rows) => [rows, false]),
    );
    expect(found.report.complete).toBe(true);
    expectOneProgress(found.progress);
  });

  it("measures the recovered share by log-likelihood where there are no tasks", async () => {
    const { report, progress } = await runLab(demo, "importance", { text: TEXT, judge: { tokens: 150 } });
    expectNear(report.recovered, 1, 1e-3, "recovered");
    // rows begin to differ in other layers, and one is read beside the original: what all take is known before the first
    expect(new Set(progress.map(({ total }) => total)).size).toBe(1);
    expectOneProgress(progress);
    expect(report.notes[0]?.text).toMatch(/negative log-likelihood/);
  });

  it("says how few task items were too few to tell, and measures what is recovered by the text", async () => {
    const { report } = await runLab(demo, "importance", {
      text: TEXT,
      judge: { tokens: 150 },
      tasks: [LAST_WORD],
      taskLimit: 1,
    });
    expect(report.finding.text).toMatch(
      /the answers to 1 task item are too few to tell whether accuracy is lost\.$/,
    );
    expect(textsOf(report.notes).join(" ")).toMatch(
      /^Over 1 task item pruning changes mean accuracy by .*Ask for more items\. Recovered is measured by negative log-likelihood/,
    );
    expect(textsOf(report.notes).join(" ")).not.toContain("nothing to recover");
    expectNear(report.recovered, 1, 1e-3, "recovered");
  });
});

describe("sensitivity", () => {
  let found: Conducted<"sensitivity">;
  beforeAll(async () => {
    found = await runLab(demo, "sensitivity", {
      text: TEXT,
      judge: FIGURES_JUDGE,
      factors: [2, 0, 0.5, 1],
    });
  });

  it.each([
    [0, "super weights x0"],
    [0.5, "super weights x0.5"],
    [2, "super weights x2"],
  ])("gives the reference's figures for a factor of %s", (factor, name) => {
    const expected = figures.ablations.find((it) => it.name === name);
    const point = found.report.points.find((it) => it.factor === factor);
    if (!expected || !point) throw new Error(`no figures for ${name}`);
    if (expected.perplexity > 100) expectWithin(point.nll, expected.nll, DESTROYED_NLL_BOUND, "NLL");
    else expectWithin(point.perplexity, expected.perplexity, PERPLEXITY_BOUND, "perplexity");
    expectNear(point.kl?.mean, expected.kl ?? NaN, 1e-2 * (expected.kl ?? NaN), "KL");
  });

  it("gives the original back at a factor of 1", () => {
    const point = found.report.points.find((it) => it.factor === 1);
    expect(point?.nll).toBe(found.report.original?.nll);
    expectSum(point?.kl?.mean, 0, divergenceBound(0, DEMO_LOGITS), "KL");
  });

  it("tells the points one by one, in order of the factors", () => {
    expect(found.told.map(({ points }) => points.length)).toEqual([0, 1, 2, 3, 4]);
    expect(found.report.points.map(({ factor }) => factor)).toEqual([0, 0.5, 1, 2]);
    expectOneProgress(found.progress);
  });
});

describe("super activations", () => {
  let found: Conducted<"super-activations">;
  beforeAll(async () => {
    found = await runLab(demo, "super-activations", { text: TEXT, promptCount: reference.prompts.length });
  });

  it("takes the detection prompt and beginnings of the text's documents", () => {
    expect(found.report.prompts.map(({ tokens }) => tokens)).toEqual(reference.prompts);
    expect(found.report.prompts[0]?.text).toBe("Apple Inc. is a worldwide tech company.");
  });

  it.each([
    [0, "original", ACTIVATION_BOUND],
    [1, "without super weights", WILD_ACTIVATION_BOUND],
    [2, "without other outliers", ACTIVATION_BOUND],
  ])("gives the peaks that transformers gives: state %i, %s", (index, name, bound) => {
    const state = found.report.states[index];
    expect(state?.name).toBe(name);
    reference.states[index]?.forEach((layers, prompt) => {
      layers.forEach((expected, layer) => {
        const at = state?.peaks[prompt]?.[layer];
        expectWithin(at?.value, expected.value, bound, `prompt ${prompt}, layer ${layer}`);
        expect([at?.token, at?.channel]).toEqual([expected.token, expected.channel]);
      });
    });
  });

  it("finds the channel at the first token from its layer to the last in every prompt", () => {
    const [persistence] = found.report.persistence;
    expect(persistence).toMatchObject({ superWeight: [1, 137, 401], from: 1, to: 5, token: 0 });
    expect(persistence?.layers.map(({ sameChannel }) => sameChannel)).toEqual([0, 1, 1, 1, 1, 1]);
    const written = persistence?.layers[1];
    expect((written?.withoutSuperWeights ?? NaN) < 0.05 * (written?.magnitude ?? NaN)).toBe(true);
  });

  it("says what pruning leaves of the value, from the layer of least to the layer of most", () => {
    expect(found.report.finding.text).toMatch(
      /in all \d+ prompts; without the super weight 2\.78% \(layer 1\) to \d+% \(layer 5\) of it is found there\.$/,
    );
  });

  it("says what pruning leaves of the largest value, and that the pruned model goes wild in its last layer", () => {
    const notes = textsOf(found.report.notes).join(" ");
    expect(notes).toMatch(
      /layer 1 is 54(\.\d)? without the super weight and 73\.6 without other outliers, instead of 250/,
    );
    expect(notes).toMatch(/Layer 5 holds more without the super weights/);
  });

  it("tells every layer when it is done", () => {
    expect(found.told.map(({ states }) => states[0]?.peaks[0]?.length)).toEqual([1, 2, 3, 4, 5, 6]);
    expectOneProgress(found.progress);
  });
});

function movers(report: LabReportOf<"token-probabilities">): Figure {
  const figures = labFigures(
    report,
    paletteOf((name) => name),
  );
  const found = figures.find(({ id }) => id === "token-probabilities-movers");
  if (!found) throw new Error("There is no chart of the tokens that move most.");
  return found;
}

describe("token probabilities", () => {
  let found: Conducted<"token-probabilities">;
  beforeAll(async () => {
    found = await runLab(demo, "token-probabilities", {
      text: TEXT,
      promptCount: reference.contexts.length,
    });
  });

  it("cuts its contexts before the last word", () => {
    expect(found.report.prompts).toBe(reference.contexts.length);
    expect(found.report.examples.map(({ text }) => text)).toEqual(reference.contexts.slice(0, 6));
  });

  it("gives the mean probabilities that transformers gives", () => {
    for (const { id, original, pruned } of reference.tokens.listed) {
      const token = found.report.tokens.find((it) => it.id === id);
      expectWithin(token?.original, original, PROBABILITY_BOUND, `token ${id}`);
      expectWithin(token?.pruned, pruned, WILD_PROBABILITY_BOUND, `token ${id}, pruned`);
    }
  });

  it("gives the entropies and the divergence that transformers gives", () => {
    const { kl, entropy } = reference.tokens;
    expectWithin(found.report.kl, kl, 1e-3, "KL");
    expectSum(found.report.entropy.original, entropy.original, float32Bound(DEMO_LOGITS), "entropy");
    expectWithin(found.report.entropy.pruned, entropy.pruned, 1e-3, "entropy, pruned");
  });

  it("lists the likeliest of both models and says that stop words do not rise here", () => {
    const { tokens, stopWords, finding } = found.report;
    expect(tokens.length).toBeGreaterThanOrEqual(20);
    expect(new Set(tokens.map(({ id }) => id)).size).toBe(tokens.length);
    expect(stopWords.pruned < 1.5 * stopWords.original).toBe(true);
    expect(finding.text).toMatch(/the paper's rise of stop words is not seen here/);
  });

  it("gives the shares of stop words that transformers gives", () => {
    const { stopWords } = found.report;
    expectWithin(stopWords.original, reference.tokens.stopWords.original, PROBABILITY_BOUND, "original");
    expectWithin(stopWords.pruned, reference.tokens.stopWords.pruned, WILD_PROBABILITY_BOUND, "pruned");
  });

  it("charts the reference's ten largest gains and ten largest losses, in its order", () => {
    const { gain, lose } = reference.tokens;
    const rows = movers(found.report).table.rows;
    expect(rows.map(([, id]) => Number(id))).toEqual([...gain, ...lose].map(({ id }) => id));
    for (const [i, { original, pruned }] of [...gain, ...lose].entries()) {
      expectWithin(Number(rows[i]?.[3]), original, PROBABILITY_BOUND, `row ${i}`);
      expectWithin(Number(rows[i]?.[4]), pruned, WILD_PROBABILITY_BOUND, `row ${i}, pruned`);
    }
  });

  it("begins that chart with the token that the finding says rises most", () => {
    const [text] = movers(found.report).table.rows[0] ?? [];
    const riser = found.report.tokens.find(({ id }) => id === reference.tokens.gain[0]?.id)?.text.trim();
    expect(found.report.finding.text).toContain(`"${riser}" rises most`);
    expect(text).toContain(riser);
  });

  it("takes prompts that are given, and tells after each part", async () => {
    const prompts = Array.from({ length: 70 }, (_, i) => `Pip had ${i} jars of`);
    const { report, told } = await runLab(demo, "token-probabilities", { text: TEXT, prompts });
    expect(told.map((partial) => partial.prompts)).toEqual([32, 64]);
    expect(report.prompts).toBe(70);
  });
});

it("stops between batches when it is cancelled", async () => {
  let asked = 0;
  const control = {
    check: () => {
      if (++asked === 3) throw cancelledError();
    },
  };
  const request = { text: TEXT, judge: { tokens: 300 } };
  await expect(runLab(demo, "sensitivity", request, { control })).rejects.toThrow("The job was cancelled.");
  expect(asked).toBe(3);
});
