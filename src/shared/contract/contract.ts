import { note } from "../notes.ts";
import { z } from "zod";
import { detectReport } from "../detection.ts";
import { scanReport } from "../scan.ts";
import { deviceReport } from "../device.ts";
import { planEstimate, textInfo } from "../estimate.ts";
import { numberedEvent } from "./events.ts";
import { exportRequest, formatAnswer, keptModule } from "../exporting.ts";
import { experimentName, labResult, labSummary } from "../lab/index.ts";
import { modelSummary, tensorStatistics, tryReport } from "../model.ts";
import { coordinate, recipe } from "../recipe.ts";
import { runDetail, runSummary, variantDetail } from "../run.ts";
import { settings, settingsChange } from "../settings.ts";
import {
  MAX_ARCHIVE_TEXT,
  calibration,
  call,
  id,
  jobStarted,
  nothing,
  path,
  runName,
  runNote,
  runWords,
} from "./contractParts.ts";
import { jobCalls } from "./jobContract.ts";

export const appInfo = z.object({
  version: z.string(),
  /** `electron` has native dialogs; `browser` picks folders through folder:list. */
  shell: z.enum(["electron", "browser"]),
  platform: z.string(),
  cores: z.number().int(),
  memoryBytes: z.number(),
  freeMemoryBytes: z.number(),
  home: z.string(),
  /** The demo model's folder, or null where it was not shipped. */
  demoModel: z.string().nullable(),
  node: z.string(),
  onnxruntime: z.string(),
});
export type AppInfo = z.infer<typeof appInfo>;

export const recentModel = z.object({
  path: z.string(),
  name: z.string(),
  opened: z.string(),
  /** Of the checkpoint when it was last opened; empty where that is not on record. */
  fingerprint: z.string().default(""),
  parameters: z.number(),
  dtype: z.string(),
  /** How many super weights were found; null = not searched. */
  superWeights: z.number().int().nullable(),
  missing: z.boolean(),
});
export type RecentModel = z.infer<typeof recentModel>;

/** A model that another program downloaded to this machine. */
export const foundModel = z.object({
  /** A folder, or a GGUF file. */
  path: z.string(),
  name: z.string(),
  owner: z.enum(["Hugging Face", "LM Studio", "llama.cpp"]),
  form: z.enum(["safetensors", "GGUF"]),
  bytes: z.number(),
});
export type FoundModel = z.infer<typeof foundModel>;

export const savedPlan = z.object({
  id: z.string(),
  name: z.string(),
  /** A plan file's content; parsePlan reads it. */
  plan: z.unknown(),
  /** Presets are shipped; saved plans can be deleted. */
  preset: z.boolean(),
  description: z.string(),
});
export type SavedPlan = z.infer<typeof savedPlan>;

export const folderListing = z.object({
  path: z.string(),
  parent: z.string().nullable(),
  entries: z.array(
    z.object({
      name: z.string(),
      path: z.string(),
      kind: z.enum(["folder", "file"]),
      model: z.boolean(),
      bytes: z.number().nullable(),
    }),
  ),
});
export type FolderListing = z.infer<typeof folderListing>;

/**
 * Every call a face may make, with the shape of its arguments and reply. Checked at run time where a message arrives
 * (IPC, WebSocket); every type derives from here. Long work answers with a job id at once; its progress comes as events
 * and its result is read with `job:result`.
 */
export const calls = {
  "app:info": call(nothing, appInfo),
  "settings:get": call(nothing, settings),
  "settings:set": call(settingsChange, settings),
  "devices:probe": call(nothing, deviceReport),

  "folder:pick": call(
    z.strictObject({ purpose: z.enum(["model", "model-file", "text", "tasks", "export", "plan"]) }),
    z.object({ path: z.string().nullable() }),
  ),
  "folder:list": call(z.strictObject({ path: path.nullable() }), folderListing),
  "folder:reveal": call(z.strictObject({ path }), nothing),

  "model:open": call(z.strictObject({ path }), modelSummary),
  "model:recent": call(nothing, z.array(recentModel)),
  /** Models in other programs' caches on this machine that may be opened; their files are listed, not read. */
  "model:found": call(nothing, z.array(foundModel)),
  "model:forget": call(z.strictObject({ path }), nothing),
  "model:detection": call(z.strictObject({ path }), detectReport.nullable()),
  /** A preview of super weights from the weights alone; works for models that cannot be run. */
  "model:scan": call(z.strictObject({ path }), scanReport),
  /** Computes a model of an unknown type as one of a family whose tensors it has: a text tells whether that is what it is. */
  "model:try": call(
    z.strictObject({ path, family: z.string().min(1).max(64), text: path.optional() }),
    tryReport,
  ),
  /** What the weights of variants take, each as the format of its scheme writes them. */
  "model:sizes": call(
    z.strictObject({ path, recipes: z.array(recipe).min(1).max(64) }),
    z.array(z.object({ weightBytes: z.number(), fileBitsPerWeight: z.number() })),
  ),
  "tensor:statistics": call(z.strictObject({ path, name: z.string().min(1).max(1024) }), tensorStatistics),

  "text:list": call(z.strictObject({ model: path }), z.array(textInfo)),
  "text:describe": call(z.strictObject({ model: path, path }), textInfo),

  ...jobCalls,

  "sweep:estimate": call(
    z.strictObject({
      model: path,
      plan: z.unknown(),
      text: path.nullable(),
      /** Of the text, where they were counted; otherwise they are guessed from its size. */
      textTokens: z.number().int().nonnegative().optional(),
      workers: z.number().int().min(1).max(64).optional(),
      calibration,
    }),
    planEstimate,
  ),
  /** Every format a variant can leave as; with a model and a recipe, what each makes of it. */
  "format:list": call(
    z.strictObject({
      model: path.optional(),
      recipe: recipe.optional(),
      kept: keptModule.default("unquantized"),
      embedding: keptModule.default("unquantized"),
    }),
    z.array(formatAnswer),
  ),
  "export:check": call(
    z.strictObject({ model: path, request: exportRequest }),
    z.object({
      bytes: z.number(),
      freeBytes: z.number(),
      exists: z.boolean(),
      bitsPerWeight: z.number(),
      fileBitsPerWeight: z.number(),
      /** Of the weights alone: the size of the variant, as runs and comparisons give it. */
      weightBytes: z.number(),
      restored: z.array(coordinate),
      notes: z.array(note),
      problems: z.array(z.object({ code: z.string(), message: z.string(), next: z.string() })),
    }),
  ),

  /** With a model, presets name only block sizes that fit it. */
  "plan:list": call(z.strictObject({ model: path.optional() }), z.array(savedPlan)),
  "plan:save": call(z.strictObject({ name: z.string().min(1).max(200), plan: z.unknown() }), savedPlan),
  "plan:delete": call(z.strictObject({ id }), nothing),
  /** Reads a plan file a person picked, and checks it. */
  "plan:read": call(z.strictObject({ path }), z.object({ name: z.string(), plan: z.unknown() })),

  "run:list": call(nothing, z.array(runSummary)),
  "run:get": call(z.strictObject({ run: id }), runDetail),
  "run:variant": call(z.strictObject({ run: id, variant: id }), variantDetail),
  "run:rename": call(z.strictObject({ run: id, name: runName }), runSummary),
  /**
   * Writes a run's title, its note or both. `was` is what the person saw when they began: where that has changed since, nothing
   * is written.
   */
  "run:note": call(
    z.strictObject({ run: id, name: runName.optional(), note: runNote.optional(), was: runWords.optional() }),
    runSummary,
  ),
  /** Takes back the last edit of title and note. */
  "run:undo-note": call(z.strictObject({ run: id, was: runWords.optional() }), runSummary),
  /** A run as one file that another Keystone imports: Base64 of a zip, with a name to save it under. */
  "run:export": call(z.strictObject({ run: id }), z.object({ name: z.string(), content: z.string() })),
  /** Keeps a run from such a file; with `replace` in place of an earlier import of the same run. */
  "run:import": call(
    z.strictObject({ content: z.string().max(MAX_ARCHIVE_TEXT), replace: z.boolean().default(false) }),
    runSummary,
  ),
  "run:delete": call(z.strictObject({ run: id }), nothing),
  /** Goes on with the variants that are not done. What is named beside the run must be what the run was started with. */
  "run:resume": call(
    z.strictObject({
      run: id,
      model: path.optional(),
      plan: z.unknown().optional(),
      text: path.optional(),
      workers: z.number().int().min(1).max(64).optional(),
      calibration,
    }),
    jobStarted,
  ),
  /** Scores failed or cancelled variants again; all of them when `variants` is left out. */
  "run:retry": call(
    z.strictObject({ run: id, variants: z.array(id).min(1).max(100_000).optional() }),
    jobStarted,
  ),

  /** Kept experiments, newest first; of one model (by its fingerprint) or kind where asked. */
  "lab:list": call(
    z.strictObject({ fingerprint: z.string().optional(), experiment: experimentName.optional() }),
    z.array(labSummary),
  ),
  "lab:get": call(z.strictObject({ id }), labResult),
  "lab:delete": call(z.strictObject({ id }), nothing),
  /**
   * One self-contained file about runs and kept experiments: model, environment, recipes, numbers, charts, and how to
   * repeat each. Returned as text, so that a browser far away can save it.
   */
  "report:make": call(
    z.strictObject({
      runs: z.array(id).max(64).default([]),
      lab: z.array(id).max(256).default([]),
      format: z.enum(["html", "markdown"]).default("html"),
      title: z.string().max(200).optional(),
    }),
    z.object({ name: z.string(), content: z.string() }),
  ),

  /** Events after `seq`; `complete: false` means they are no longer kept: read the state afresh. */
  "events:since": call(
    z.strictObject({ seq: z.number().int().nonnegative() }),
    z.object({ events: z.array(numberedEvent), seq: z.number().int(), complete: z.boolean() }),
  ),
} as const;

export type Calls = typeof calls;
export type CallName = keyof Calls;
export type Args<C extends CallName> = z.input<Calls[C]["args"]>;
export type CheckedArgs<C extends CallName> = z.output<Calls[C]["args"]>;
export type Reply<C extends CallName> = z.output<Calls[C]["reply"]>;

export function isCallName(name: unknown): name is CallName {
  return typeof name === "string" && Object.hasOwn(calls, name);
}

/** How the window reaches the studio, whatever lies between. */
export interface Host {
  /** @throws KeystoneError with the code the studio gave it. */
  call<C extends CallName>(name: C, args: Args<C>): Promise<Reply<C>>;
  /** Events from now on; returns the way to stop. */
  subscribe(listener: (event: import("./events.ts").NumberedEvent) => void): () => void;
  /** Connection state, for the status bar; Electron is always `open`. */
  onConnection(listener: (state: "open" | "lost") => void): () => void;
}
