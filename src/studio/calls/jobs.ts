import type { ChatTurn } from "#shared/comparison.ts";
import { calls, type Reply } from "#shared/contract/contract.ts";
import { detectOptions } from "#shared/detection.ts";
import { KeystoneError } from "#shared/errors.ts";
import type { ModelSummary } from "#shared/model.ts";
import { judge as judgeSchema, type Judge } from "#shared/plan.ts";
import { calibrationText } from "../models/calibration.ts";
import type { Answers, StudioContext } from "../context/context.ts";
import {
  runInPool,
  runnableModel,
  search,
  soloHandle,
  soloTask,
  superWeights,
  variantRequests,
} from "../context/launch.ts";

type JobCall =
  | "job:detect"
  | "job:evaluate"
  | "job:ablate"
  | "job:tasks"
  | "job:compare"
  | "job:generate"
  | "job:list"
  | "job:result"
  | "job:move"
  | "job:pause"
  | "job:resume"
  | "job:cancel";

/** Effects are measured on this many tokens of an own text unless asked otherwise: every candidate takes its own way through the model. */
const EFFECT_TOKENS = 512;

/** Long work in one worker, and the jobs themselves. Paths and models are checked before a job is queued. */
export function jobCalls(context: StudioContext): Answers<JobCall> {
  const { jobs, access, pools } = context;
  return {
    "job:detect": async ({ model: path, options, effectText, effectTokens }) => {
      const model = await runnableModel(context, path);
      const checked = detectOptions.parse(options ?? {});
      const text = effectText === undefined ? null : access.check(effectText);
      const effect = text === null ? null : { text, judge: withTokens(effectTokens ?? EFFECT_TOKENS) };
      const work = jobs.start({
        kind: "detect",
        title: `Find the super weights of ${model.name}`,
        model: model.path,
        work: async (job) => {
          const pool = await pools.lend(1);
          try {
            return await search(context, job, pool, model, checked, effect);
          } finally {
            pools.giveBack(pool);
          }
        },
      });
      return { job: work };
    },

    "job:evaluate": async ({ model: path, recipe, text: textPath, judge, calibration: named }) => {
      const model = await runnableModel(context, path);
      const text = access.check(textPath);
      const places = { named, model: model.path, text };
      const calibration = await calibrationText(access, recipe ? [recipe] : [], places, judge);
      return {
        job: jobs.start({
          kind: "evaluate",
          title: `Score ${model.name}`,
          model: model.path,
          work: (job) =>
            soloTask(context, job, "evaluate", async (pool) => {
              const [variant = null] = recipe
                ? await variantRequests(context, job, pool, model, [recipe])
                : [];
              return { model: await soloHandle(context, model), text, judge, variant, calibration };
            }),
        }),
      };
    },

    "job:ablate": async ({ model: path, text: textPath, judge, factors, tasks: tasksPath }) => {
      const model = await runnableModel(context, path);
      const text = access.check(textPath);
      const tasks = tasksPath === undefined ? null : access.check(tasksPath);
      return {
        job: jobs.start({
          kind: "ablate",
          title: `Prune the super weights of ${model.name}`,
          model: model.path,
          work: (job) =>
            soloTask(context, job, "ablate", async (pool) => ({
              model: await soloHandle(context, model),
              text,
              judge,
              factors,
              tasks,
              superWeights: await superWeights(context, job, pool, model),
            })),
        }),
      };
    },

    "job:tasks": async ({
      model: path,
      recipe,
      files,
      dataset,
      limit,
      items = false,
      calibration: named,
    }) => {
      const model = await runnableModel(context, path);
      const checked = files.map((file) => access.check(file));
      const places = { named, model: model.path, text: null };
      const calibration = await calibrationText(access, recipe ? [recipe] : [], places);
      return {
        job: jobs.start({
          kind: "tasks",
          title: `Tasks on ${model.name}`,
          model: model.path,
          work: (job) =>
            soloTask(context, job, "tasks", async (pool) => {
              const [variant = null] = recipe
                ? await variantRequests(context, job, pool, model, [recipe])
                : [];
              const handle = await soloHandle(context, model);
              return { model: handle, files: checked, variant, dataset, limit, items, calibration };
            }),
        }),
      };
    },

    "job:compare": async ({
      model: path,
      recipes,
      checkpoints,
      text: textPath,
      judge,
      passage,
      calibration: named,
    }) => {
      const model = await runnableModel(context, path);
      const others: ModelSummary[] = [];
      for (const other of checkpoints) others.push(await runnableModel(context, other));
      const text = access.check(textPath);
      const places = { named, model: model.path, text };
      const calibration = await calibrationText(access, recipes, places, judge);
      return {
        job: jobs.start({
          kind: "compare",
          title: compareTitle(model, recipes.length, others),
          model: model.path,
          work: (job) =>
            soloTask(context, job, "compare", async (pool) => ({
              model: await soloHandle(context, model),
              text,
              judge,
              passage: passage ?? null,
              calibration,
              variants: await variantRequests(context, job, pool, model, recipes),
              checkpoints: await Promise.all(others.map((other) => soloHandle(context, other))),
            })),
        }),
      };
    },

    "job:generate": async ({
      model: path,
      recipes,
      prompt,
      tokens,
      template,
      system,
      turns,
      calibration: named,
    }) => {
      requireAnswers(turns ?? [], 1 + recipes.length);
      const model = await runnableModel(context, path);
      const calibration = await calibrationText(access, recipes, { named, model: model.path, text: null });
      return {
        job: jobs.start({
          kind: "generate",
          title: `Generate with ${model.name}`,
          model: model.path,
          work: async (job) => {
            const pool = await pools.lend(1);
            try {
              const variants = await variantRequests(context, job, pool, model, recipes);
              return await runInPool(context, job, pool, "generate", {
                model: await soloHandle(context, model),
                variants,
                prompt,
                tokens,
                template,
                system,
                turns,
                calibration,
              });
            } finally {
              pools.giveBack(pool);
            }
          },
        }),
      };
    },

    "job:list": () => jobs.list(),
    "job:result": ({ job }) => resultOf(jobs.result(job)),
    "job:move": ({ job, direction }) => {
      jobs.move(job, direction);
      return {};
    },
    "job:pause": ({ job }) => {
      jobs.pause(job);
      return {};
    },
    "job:resume": ({ job }) => {
      jobs.resume(job);
      return {};
    },
    "job:cancel": ({ job }) => {
      jobs.cancel(job);
      return {};
    },
  };
}

function compareTitle(model: ModelSummary, recipes: number, others: readonly ModelSummary[]): string {
  const variants = recipes === 1 ? "1 variant" : `${recipes} variants`;
  const names = others.map(({ name }) => name);
  const parts = recipes > 0 ? [variants, ...names] : names;
  return `Compare ${new Intl.ListFormat("en").format(parts)} with ${model.name}`;
}

/** @throws KeystoneError usage/invalid-arguments where a turn has not one answer of each */
function requireAnswers(turns: readonly ChatTurn[], answers: number): void {
  const odd = turns.findIndex((turn) => turn.answers.length !== answers);
  if (odd < 0) return;
  throw new KeystoneError(
    "usage/invalid-arguments",
    `Turn ${odd + 1} has ${turns[odd]?.answers.length ?? 0} answers, and the original with its variants are ${answers}.`,
    "Give the answers of the original and of each variant, in the order asked.",
  );
}

function withTokens(tokens: number): Judge {
  return judgeSchema.parse({ tokens });
}

/** A job's result in the contract's shape; checked, because results cross from workers. */
function resultOf({ kind, result }: { kind: string; result: unknown }): Reply<"job:result"> {
  const shaped =
    kind === "sweep" || kind === "lab" ? { kind, ...(result as object) } : { kind, report: result };
  return calls["job:result"].reply.parse(shaped);
}
