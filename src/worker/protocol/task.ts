import type { MessagePort } from "node:worker_threads";
import type { ChatTurn, CompareReport, GenerateReport } from "#shared/comparison.ts";
import type { DetectOptions, DetectPass, DetectPreview, DetectReport } from "#shared/detection.ts";
import type { ScanReport } from "#shared/scan.ts";
import type { DiffReport } from "#shared/diff.ts";
import type { DeviceName, DeviceReport } from "#shared/device.ts";
import type { KeystoneErrorData } from "#shared/errors.ts";
import type { TextInfo } from "#shared/estimate.ts";
import type { AblateReport, EvalReport, TaskDataset, TaskReport } from "#shared/evaluation.ts";
import type { ExportReport, ExportRequest } from "#shared/exporting.ts";
import type { Progress } from "#shared/contract/job.ts";
import type { LabReport, LabRequest } from "#shared/lab/index.ts";
import type { TensorStatistics, TryReport } from "#shared/model.ts";
import type { Judge } from "#shared/plan.ts";
import type { Coordinate, Recipe } from "#shared/recipe.ts";
import type { VariantDetail, VariantResult } from "#shared/run.ts";
import type { ActivationMaxima } from "#engine/recipe/activationPlan.ts";
import type { ExportFolders } from "#engine/export/folder/exportFolders.ts";
import type { OriginalReference } from "#engine/evaluate/stream/scoring.ts";
import type { WindowSet } from "#engine/evaluate/windows/windowSet.ts";
import type { NativeGate } from "#engine/forward/runtime/nativeGate.ts";
import type { Control } from "./control.ts";

/** The model a task works on, and how. A worker keeps it open as long as the next task names the same. */
export interface ModelHandle {
  readonly path: string;
  /** Of the files as the studio saw them. */
  readonly revision: string;
  readonly device: DeviceName;
  /** Threads of the CPU provider. */
  readonly threads: number;
}

/** A recipe to judge; `superWeights` stand in for restore "super-weights", and are whose activations are kept. */
export interface VariantRequest {
  readonly id: string;
  readonly recipe: Recipe;
  readonly superWeights: readonly Coordinate[];
}

/** The text that SmoothQuant's scales are chosen on, and how the judged one is cut. Named only where a recipe needs it. */
export interface CalibrationText {
  readonly text: string;
  readonly judge: Judge;
}

/** The original's side of a sweep, computed once; its arrays lie in shared memory. */
export interface Baseline {
  /** Null where no recipe needs them. */
  readonly maxima: ActivationMaxima | null;
  readonly windows: WindowSet;
  readonly original: OriginalReference;
  readonly device: DeviceReport;
}

/** A variant that makes the same weights as another of its sweep, and what it costs in bits by itself. */
export interface Twin {
  readonly id: string;
  /** The simplest of those that make these weights; that one is scored. */
  readonly sameAs: string;
  readonly bitsPerWeight: number;
  readonly fileBitsPerWeight: number;
}

interface Kinds {
  probe: { fields: { device: DeviceName; threads: number }; result: DeviceReport };
  statistics: { fields: { path: string; name: string }; result: TensorStatistics };
  scan: { fields: { path: string }; result: ScanReport };
  try: {
    /** `text`: null = the passage that ships with the program. */
    fields: { path: string; family: string; text: string | null; threads: number };
    result: TryReport;
  };
  describe: { fields: { model: string; path: string }; result: TextInfo };
  detect: {
    fields: { model: ModelHandle; options: DetectOptions; effect: { text: string; judge: Judge } | null };
    result: DetectReport;
  };
  baseline: {
    fields: {
      model: ModelHandle;
      text: string;
      judge: Judge;
      calibration: CalibrationText | null;
    };
    result: Baseline;
  };
  same: {
    fields: { model: ModelHandle; variants: readonly VariantRequest[] };
    result: readonly Twin[];
  };
  wave: {
    fields: { model: ModelHandle; baseline: Baseline; variants: readonly VariantRequest[] };
    result: null;
  };
  evaluate: {
    fields: {
      model: ModelHandle;
      text: string;
      judge: Judge;
      variant: VariantRequest | null;
      calibration: CalibrationText | null;
    };
    result: EvalReport;
  };
  ablate: {
    fields: {
      model: ModelHandle;
      text: string;
      judge: Judge;
      superWeights: readonly Coordinate[];
      factors: readonly number[];
      tasks: string | null;
    };
    result: AblateReport;
  };
  tasks: {
    fields: {
      model: ModelHandle;
      files: readonly string[];
      variant: VariantRequest | null;
      dataset: TaskDataset | undefined;
      limit: number | undefined;
      items: boolean;
      calibration: CalibrationText | null;
    };
    result: TaskReport[];
  };
  lab: {
    fields: { model: ModelHandle; request: LabRequest; superWeights: readonly Coordinate[] };
    result: LabReport;
  };
  compare: {
    fields: {
      model: ModelHandle;
      text: string;
      judge: Judge;
      variants: readonly VariantRequest[];
      /** Other checkpoints to set beside it, on the same device. */
      checkpoints: readonly ModelHandle[];
      passage: string | null;
      calibration: CalibrationText | null;
    };
    result: CompareReport;
  };
  diff: { fields: { a: string; b: string }; result: DiffReport };
  generate: {
    fields: {
      model: ModelHandle;
      variants: readonly VariantRequest[];
      prompt: string;
      tokens: number;
      /** Undefined = the model's default template where it has one; null = none. */
      template: string | null | undefined;
      system: string | undefined;
      /** Earlier turns, each with the answers of the original and of every variant. */
      turns: readonly ChatTurn[] | undefined;
      calibration: CalibrationText | null;
    };
    result: GenerateReport;
  };
  export: {
    fields: {
      model: ModelHandle;
      request: ExportRequest;
      /** Its equations are not known: it is written tensor by tensor, and cannot be scored. */
      listed?: boolean;
      /** Planned by the studio, which clears them should the worker end in the middle. */
      folders: ExportFolders;
      superWeights: readonly Coordinate[];
      /** `memoryBytes`: what running the files in their own runtime may take. `programs`: where a person may have installed one. */
      verify: {
        text: string;
        judge: Judge;
        memoryBytes: number;
        programs: readonly string[];
      } | null;
      versions: Readonly<Record<string, string>>;
    };
    result: ExportReport;
  };
}

export type TaskKind = keyof Kinds;
export type TaskFields<K extends TaskKind> = Kinds[K]["fields"];
export type TaskResult<K extends TaskKind> = Kinds[K]["result"];

/** What travels to a worker: the task's fields, the job's control, the thread's gate and the port for what is told on the way. */
export type Task = {
  [K in TaskKind]: { kind: K; control: Control; gate: NativeGate; port: MessagePort } & TaskFields<K>;
}[TaskKind];

/** What a worker found out about one variant of its wave. */
export type VariantOutcome =
  | { readonly ok: true; readonly id: string; readonly scores: VariantScores; readonly detail: VariantDetail }
  | { readonly ok: false; readonly id: string; readonly error: KeystoneErrorData };

/** The columns of a row that scoring fills. */
export type VariantScores = Pick<
  VariantResult,
  | "bitsPerWeight"
  | "fileBitsPerWeight"
  | "perplexity"
  | "nll"
  | "tokens"
  | "kl"
  | "confidence"
  | "sqnrDb"
  | "seconds"
  | "notFinite"
>;

/** Told while a task runs. `end` is the last: whatever was posted before it has arrived. */
export type TaskMessage =
  | { readonly type: "progress"; readonly progress: Progress }
  | { readonly type: "detect-pass"; readonly pass: DetectPass }
  | { readonly type: "detect-preview"; readonly preview: DetectPreview }
  | { readonly type: "variant"; readonly outcome: VariantOutcome }
  | { readonly type: "lab-report"; readonly report: LabReport }
  | { readonly type: "generated"; readonly report: GenerateReport }
  | { readonly type: "end" };

/** Errors travel as data: structured clone would keep an Error's message and drop its fields. */
export type TaskReply<K extends TaskKind = TaskKind> =
  | { readonly ok: true; readonly value: TaskResult<K> }
  | { readonly ok: false; readonly error: KeystoneErrorData };
