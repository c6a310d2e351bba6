import { distinctNotes, type Note } from "#shared/notes.ts";
import { statfs } from "node:fs/promises";
import { KeystoneError, toErrorData } from "#shared/errors.ts";
import type { PlanEstimate } from "#shared/estimate.ts";
import type { ModelSummary } from "#shared/model.ts";
import { canonicalJson } from "#shared/canonicalJson.ts";
import { parsePlan, type Plan } from "#shared/plan.ts";
import { needsCalibration, type Recipe, coordinateOf } from "#shared/recipe.ts";
import { recipeLabel } from "#shared/recipeText.ts";
import { requireNormWeights } from "#engine/recipe/smoothing.ts";
import { architectureOf } from "#engine/architecture/readArchitecture.ts";
import { plansKey } from "#engine/recipe/planKey.ts";
import { planRecipe } from "#engine/recipe/planRecipe.ts";
import { calibrationFor, type CalibrationPlaces } from "../models/calibration.ts";
import type { Answers, StudioContext } from "../context/context.ts";
import { modelShape } from "../models/sizing.ts";
import { DEFAULT_DETECTION } from "../context/launch.ts";
import { summarizeModel, withCheckpoint } from "../context/summarizeModel.ts";
import { targetChanges, targetProblems } from "../sweep/target.ts";
import { sizeFor } from "../sweep/startSweep.ts";

/** What a variant's row and detail take in the run store: a fixed part, and its errors per tensor and layer. */
const ROW_BYTES = 2_000;
const TENSOR_BYTES = 220;
const LAYER_BYTES = 40;
/** So many different recipes are brought down to the model's tensors; bits per weight of more would hold up the window. */
const MAX_CHECKED = 500;

/** What a plan will cost, before it starts. */
export function estimateCalls(context: StudioContext): Answers<"sweep:estimate"> {
  return {
    "sweep:estimate": async ({ model: path, plan: input, text, textTokens, workers, calibration: named }) => {
      const model = await summarizeModel(context.access.check(path));
      const checkedText = text === null ? null : context.access.check(text);
      const plan = parsePlan(input);
      const size = await sizeFor(
        context,
        model,
        checkedText,
        plan.judge,
        plan.recipes,
        workers ?? null,
        textTokens ?? null,
      );
      const shape = modelShape(model);
      const rate = context.kept.rate(await context.devices.chosen(), size.threadsPerWorker);
      const checked =
        model.unsupported === null
          ? await checkOnModel(context, model, plan)
          : { notes: [], problems: [unsupported(model.unsupported)], bits: null, same: 0 };
      // The original once, by one worker, then the variants on all of them.
      const passes = 1 + (plan.recipes.length - checked.same) / size.workers;
      const seconds = rate === null ? null : (passes * size.tokens * shape.linearWeights) / rate;
      const tensors = model.tensors.filter((tensor) => tensor.linear).length;
      const diskBytes =
        plan.recipes.length * (ROW_BYTES + tensors * TENSOR_BYTES + shape.layers * LAYER_BYTES);
      return {
        variants: plan.recipes.length,
        same: checked.same,
        tokens: size.tokens,
        windows: Math.ceil(
          size.tokens /
            Math.max(1, (plan.judge.context ?? Math.min(2048, model.architecture.contextLength || 2048)) - 1),
        ),
        workers: size.workers,
        threadsPerWorker: size.threadsPerWorker,
        variantsPerWave: size.variantsPerWave,
        seconds,
        peakBytes: size.peakBytes,
        availableBytes: size.availableBytes,
        diskBytes,
        bitsPerWeight: checked.bits,
        notes: [
          ...(rate === null
            ? [
                {
                  code: "estimate/no-rate",
                  text: "How long it takes is known after the first variants: nothing has been measured on this machine yet.",
                },
              ]
            : []),
          ...checked.notes,
        ],
        problems: [
          ...checked.problems,
          ...(await calibrationProblem(context, plan, { named, model: model.path, text: checkedText })),
          ...(model.hasTokenizer ? [] : [noTokenizer(model.path)]),
          ...(size.peakBytes > size.availableBytes ? [tooLarge(size.peakBytes, size.availableBytes)] : []),
          ...(await diskProblem(context.home, diskBytes)),
        ],
      };
    },
  };
}

type Problem = PlanEstimate["problems"][number];

/** Brings the recipes down to the model's tensors: what does not fit, and the range of bits per weight. */
async function checkOnModel(
  { kept }: StudioContext,
  { path, revision }: ModelSummary,
  plan: Plan,
): Promise<{ notes: Note[]; problems: Problem[]; bits: [number, number] | null; same: number }> {
  const detected = kept.detection(revision, DEFAULT_DETECTION);
  const found = detected?.superWeights ?? [];
  const superWeights = found.map(coordinateOf);
  return withCheckpoint(path, (checkpoint) => {
    const architecture = architectureOf(checkpoint);
    const notes: Note[] = [];
    const problems = new Map<string, Problem>();
    const bits: number[] = [];
    const makers = new Map<string, Recipe[]>();
    for (const recipe of plan.recipes.slice(0, MAX_CHECKED)) {
      try {
        if (needsCalibration(recipe)) requireNormWeights(architecture);
        const plans = planRecipe({ checkpoint, architecture }, recipe, superWeights);
        // Until super weights are searched, what restores them is told apart by saying so.
        const restores = detected ? null : recipe.restore;
        const key = `${canonicalJson([recipe.activations, restores])}\n${plansKey(plans.tensors)}`;
        makers.set(key, [...(makers.get(key) ?? []), recipe]);
        bits.push(plans.bitsPerWeight);
        for (const note of plans.notes)
          if (recipe.restore !== "super-weights" || note.code !== "restore/no-super-weight") notes.push(note);
      } catch (error) {
        if (!(error instanceof KeystoneError)) throw error;
        problems.set(error.message, error.toData());
      }
    }
    const { target } = plan;
    const model = { checkpoint, architecture, superWeights };
    const fitting = problems.size === 0 ? plan.recipes.slice(0, MAX_CHECKED) : [];
    const unheld = target === null ? [] : targetProblems(model, target, fitting);
    const changes = target === null ? [] : targetChanges(model, target, fitting);
    return {
      notes: [
        ...sameNotes([...makers.values()]),
        ...distinctNotes(notes),
        ...changes.map(({ code, text }) => ({ code, text: `Exported as ${target}: ${text}` })),
      ],
      problems: [...problems.values(), ...unheld],
      bits: bits.length > 0 ? [Math.min(...bits), Math.max(...bits)] : null,
      same: [...makers.values()].reduce((sum, { length }) => sum + length - 1, 0),
    };
  });
}

/** Which variants are known to make the same weights, with one example. */
function sameNotes(groups: readonly (readonly Recipe[])[]): Note[] {
  const same = groups.filter(({ length }) => length > 1);
  const [first, second] = (same[0] ?? []).toSorted(
    (a, b) => Number(a.range !== null) - Number(b.range !== null),
  );
  if (!first || !second) return [];
  const count = same.reduce((sum, { length }) => sum + length - 1, 0);
  const which = count === 1 ? "1 variant makes" : `${count.toLocaleString("en-US")} variants make`;
  return [
    {
      code: "variants/same",
      text: `${which} the same weights as another (“${recipeLabel(second)}” those of “${recipeLabel(first)}”) and ${count === 1 ? "is" : "are"} not scored again.`,
    },
  ];
}

async function calibrationProblem(
  { access }: StudioContext,
  plan: Plan,
  places: CalibrationPlaces,
): Promise<Problem[]> {
  try {
    await calibrationFor(access, plan.recipes, places);
    return [];
  } catch (error) {
    return [toErrorData(error)];
  }
}

async function diskProblem(home: string, bytes: number): Promise<Problem[]> {
  const disk = await statfs(home).catch(() => null);
  if (!disk || disk.bavail * disk.bsize >= bytes) return [];
  return [
    new KeystoneError(
      "store/disk-full",
      `The results take about ${bytes} bytes, but ${disk.bavail * disk.bsize} are free in ${home}.`,
      "Free some space, or set KEYSTONE_HOME to another disk.",
      { bytes },
    ).toData(),
  ];
}

function tooLarge(peak: number, available: number): Problem {
  const gigabytes = (bytes: number): string => (bytes / 2 ** 30).toFixed(1);
  return new KeystoneError(
    "memory/too-little",
    `The sweep takes about ${gigabytes(peak)} GB of memory, but ${gigabytes(available)} GB are available to it.`,
    "Lower the tokens or the number of workers, or raise the memory limit in the settings.",
    { peak, available },
  ).toData();
}

function noTokenizer(path: string): Problem {
  return new KeystoneError(
    "checkpoint/no-tokenizer",
    `There is no tokenizer.json in ${path}.`,
    "Add the model's tokenizer files to the folder.",
    { path },
  ).toData();
}

function unsupported(reason: string): Problem {
  return new KeystoneError(
    "architecture/unsupported",
    reason,
    "The checkpoint can be inspected, but not run.",
  ).toData();
}
