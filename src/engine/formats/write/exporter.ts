import type { Note } from "#shared/notes.ts";
import type { Architecture } from "#engine/architecture/decoder/architecture.ts";
import type { Checkpoint } from "#engine/checkpoint/checkpoint.ts";
import type { StorageType } from "#engine/numeric/storageTypes.ts";
import type { TensorPlan } from "#engine/quantize/plan/tensorPlan.ts";
import type { KeystoneErrorData } from "#shared/errors.ts";
import type { KeptModule } from "#shared/exporting.ts";
import type { TensorInfo } from "#shared/model.ts";
import type { Coordinate, Override, Recipe } from "#shared/recipe.ts";
import type { ByteProgress } from "./byteProgress.ts";
import type { FileSystem } from "#engine/files/output/fileSystem.ts";
import type { OutputDisk, WrittenFile } from "#engine/files/output/outputFile.ts";
import type { WeightPlace } from "./restoredWeights.ts";
import type { ExportVariant } from "./exportedVariant.ts";
import type { WeightMemory } from "./weightMemory.ts";

/** The model that an export is made of. */
export interface ExportModel {
  readonly checkpoint: Checkpoint;
  readonly architecture: Architecture;
  /** What `restore: "super-weights"` stands for. */
  readonly superWeights: readonly Coordinate[];
}

/** A recipe as a format holds it: what is judged, written and verified. */
export interface AdaptedRecipe {
  readonly recipe: Recipe;
  /** What ŵ is rounded to: what the format's runtimes compute with. Absent = each tensor's own type. */
  readonly storage?: StorageType | undefined;
  /** How it differs from the recipe that was asked for, and what that costs; one sentence each. */
  readonly changes: readonly Note[];
  /** Weights that were to be restored and whose modules are kept at higher precision instead; absent = none. */
  readonly held?: readonly WeightPlace[] | undefined;
}

/** Bytes that a format's files need for a tensor, planned so or kept. */
export type BytesOf = (tensor: TensorInfo, plan: TensorPlan | undefined) => number;

/** What an exporter is asked to write, before anything is written. */
export interface ExportSource {
  readonly model: ExportModel;
  readonly variant: ExportVariant;
  readonly fileSystem: FileSystem;
  /** Largest data section of a shard in bytes; null = as the source is sharded. For formats that shard. */
  readonly maxShardBytes: number | null;
}

export interface WriteInput extends ExportSource {
  /** Where it is written: a folder that is renamed when everything stands. */
  readonly disk: OutputDisk;
  /** Counts `outline`'s bytes; `begin` names the tensor at hand and is where the job is paused or ended. */
  readonly progress: ByteProgress;
  /** Where the tensor at hand lies. */
  readonly memory: WeightMemory;
  /** Says which source files come next: they are hashed meanwhile. @throws what went wrong with an earlier one */
  readonly useSource: (files: Iterable<string>) => Promise<void>;
}

/** One format that variants can leave as. */
export interface Exporter {
  /**
   * What of a recipe the format cannot store. Asked before a sweep (with what the model's tensors become, where they
   * fit the recipe at all), shown before an export.
   * @param plans of the adapted recipe; absent while no model is open
   */
  problems(
    recipe: Recipe,
    on?: { model: ExportModel; plans: ReadonlyMap<string, TensorPlan> },
  ): KeystoneErrorData[];
  /** Brings a recipe to what the format holds; restored weights become kept modules where it cannot store them. */
  adapt(recipe: Recipe, model: ExportModel, kept: KeptModule): AdaptedRecipe;
  /** Names of the source's tensors that the format has a place for; absent = all. The others stay behind, and notes say so. */
  readonly tensors?: (model: ExportModel) => ReadonlySet<string>;
  /** Bytes of all weights in its files, from shapes alone; headers and tables not counted. @param plans that it holds */
  weightBytes(model: ExportModel, plans: ReadonlyMap<string, TensorPlan>): number;
  /** Bytes of one tensor in its files; absent where they hold tensors in another form. */
  readonly bytesOf?: BytesOf;
  /** The override that gives embedding and head 8 bits, less its `match`; absent where the format does not offer that. */
  readonly eightBitEmbedding?: Omit<Override, "match">;
  /** Bytes of all files it will write, known before it starts (side files that are copied not counted). */
  outline(source: ExportSource): Promise<{ readonly bytes: number }>;
  /**
   * Writes weights, and every file that differs from the source's (config.json, …), one tensor in memory at a time.
   * Files it does not name are copied from the source by the caller.
   * @throws KeystoneError export/…, checkpoint/not-finite, job/cancelled
   */
  write(input: WriteInput): Promise<WrittenFile[]>;
  /** What the person should know beforehand; one sentence each. */
  notes(source: ExportSource): Promise<Note[]>;
  /** Source files (by name) that do not travel along; absent = all of listSideFiles do. */
  readonly leavesBehind?: (name: string, model: ExportModel) => boolean;
}
