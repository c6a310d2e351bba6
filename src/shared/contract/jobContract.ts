import { z } from "zod";
import { chatTurn, compareReport, generateReport } from "../comparison.ts";
import { detectOptions, detectReport } from "../detection.ts";
import { diffReport } from "../diff.ts";
import { ablateReport, evalReport, taskDataset, taskReport } from "../evaluation.ts";
import { exportReport, exportRequest } from "../exporting.ts";
import { jobView } from "./job.ts";
import { labReport, labRequest } from "../lab/index.ts";
import { judge } from "../plan.ts";
import { recipe } from "../recipe.ts";
import { calibration, call, id, jobStarted, nothing, path } from "./contractParts.ts";

/** The calls that start long work, and those about work under way. */
export const jobCalls = {
  "job:detect": call(
    z.strictObject({
      model: path,
      options: detectOptions.partial().optional(),
      effectText: path.optional(),
      effectTokens: z.number().int().positive().optional(),
    }),
    jobStarted,
  ),
  "job:evaluate": call(
    z.strictObject({ model: path, recipe: recipe.nullable(), text: path, judge, calibration }),
    jobStarted,
  ),
  "job:ablate": call(
    z.strictObject({
      model: path,
      text: path,
      judge,
      factors: z.array(z.number()).max(64),
      tasks: path.optional(),
    }),
    jobStarted,
  ),
  "job:sweep": call(
    z.strictObject({
      model: path,
      plan: z.unknown(),
      text: path,
      name: z.string().max(200).optional(),
      workers: z.number().int().min(1).max(64).optional(),
      calibration,
    }),
    z.object({ job: id, run: id }),
  ),
  "job:tasks": call(
    z.strictObject({
      model: path,
      recipe: recipe.nullable(),
      /** Files or folders, a task each. */
      files: z.array(path).min(1).max(64),
      /** Whose columns they have; recognised where it is absent. */
      dataset: taskDataset.optional(),
      /** The first so many items of each. */
      limit: z.number().int().positive().optional(),
      /** Whether every item's own log-likelihoods are reported. */
      items: z.boolean().optional(),
      calibration,
    }),
    jobStarted,
  ),
  "job:compare": call(
    z
      .strictObject({
        model: path,
        recipes: z.array(recipe).max(4),
        /** Other checkpoints of the same vocabulary and tokenizer, set beside it as they are. */
        checkpoints: z.array(path).max(4).default([]),
        text: path,
        judge,
        passage: z.string().max(20_000).optional(),
        calibration,
      })
      .refine(({ recipes, checkpoints }) => recipes.length + checkpoints.length > 0, {
        error: "must name a recipe or another checkpoint",
        path: ["recipes"],
      }),
    jobStarted,
  ),
  /** Two checkpoints, tensor by tensor; A is the reference. */
  "job:diff": call(z.strictObject({ a: path, b: path }), jobStarted),
  "job:generate": call(
    z.strictObject({
      model: path,
      recipes: z.array(recipe).max(4),
      prompt: z.string().min(1).max(20_000),
      tokens: z.number().int().min(1).max(1024),
      /** Name of one of the model's chat templates, null for none; left out, its default one where it has one. */
      template: z.string().max(200).nullable().optional(),
      /** A system message in front of the prompt; only with a template. */
      system: z.string().min(1).max(20_000).optional(),
      /** Earlier turns, oldest first, in which the original and each recipe have answered; only with a template. */
      turns: z.array(chatTurn).max(200).optional(),
      calibration,
    }),
    jobStarted,
  ),
  /** One experiment; what it found is kept under the id that its result names. */
  "job:lab": call(z.strictObject({ model: path, request: labRequest }), jobStarted),
  "job:export": call(
    z.strictObject({
      model: path,
      /** Of the checkpoint that the variant was scored in: another one that lies there now is not exported. */
      fingerprint: z.string().optional(),
      request: exportRequest,
      verify: z.strictObject({ text: path, judge }).nullable(),
    }),
    jobStarted,
  ),
  "job:list": call(nothing, z.array(jobView)),
  /** Of a job that is done; of a cancelled one what it had made, where that is kept (generate). */
  "job:result": call(
    z.strictObject({ job: id }),
    z.discriminatedUnion("kind", [
      z.object({ kind: z.literal("detect"), report: detectReport }),
      z.object({ kind: z.literal("evaluate"), report: evalReport }),
      z.object({ kind: z.literal("ablate"), report: ablateReport }),
      z.object({ kind: z.literal("tasks"), report: z.array(taskReport) }),
      z.object({ kind: z.literal("compare"), report: compareReport }),
      z.object({ kind: z.literal("diff"), report: diffReport }),
      z.object({ kind: z.literal("generate"), report: generateReport }),
      z.object({ kind: z.literal("export"), report: exportReport }),
      z.object({ kind: z.literal("sweep"), run: id }),
      z.object({ kind: z.literal("lab"), id, report: labReport }),
    ]),
  ),
  /** One place sooner or later among those that wait. */
  "job:move": call(z.strictObject({ job: id, direction: z.enum(["up", "down"]) }), nothing),
  "job:pause": call(z.strictObject({ job: id }), nothing),
  "job:resume": call(z.strictObject({ job: id }), nothing),
  "job:cancel": call(z.strictObject({ job: id }), nothing),
};
