import type { Checkpoint } from "#engine/checkpoint/types.ts";
import { toErrorData, type KeystoneErrorData } from "#shared/errors.ts";
import type { ExportRequest } from "#shared/exporting.ts";
import type { Coordinate } from "#shared/recipe.ts";
import { bytesText, diskFullError, onDisk } from "./diskErrors.ts";
import { exporters } from "./exporters.ts";
import { ExportJob } from "./exportJob.ts";
import { freeBytesFor, outlineExport } from "./exportSafetensors.ts";
import type { FileSystem } from "./fileSystem.ts";
import { nodeFileSystem } from "./nodeFileSystem.ts";
import { restoredCoordinates } from "./restoredWeights.ts";
import type { ExportVariant } from "./types.ts";

/** What a person should know before an export starts. */
export interface ExportCheck {
  readonly bytes: number;
  /** 0 where the place itself is refused. */
  readonly freeBytes: number;
  readonly exists: boolean;
  readonly bitsPerWeight: number;
  readonly fileBitsPerWeight: number;
  readonly restored: Coordinate[];
  readonly notes: string[];
  /** What keeps it from starting; empty = it can. */
  readonly problems: KeystoneErrorData[];
}

/** Looks at everything that could refuse an export, without writing a byte. */
export async function checkExport(
  checkpoint: Checkpoint,
  variant: ExportVariant,
  request: ExportRequest,
  fileSystem: FileSystem = nodeFileSystem,
): Promise<ExportCheck> {
  const format = exporters[request.format].describe();
  const outline = await outlineExport(checkpoint, request.maxShardBytes, fileSystem);
  const problems = format.problems(request.recipe);
  const exists =
    (await onDisk({ doing: "looking at the folder", path: request.out }, () =>
      fileSystem.stat(request.out),
    )) !== null;
  let freeBytes = 0;
  try {
    const job = await ExportJob.plan(
      { source: checkpoint.path, out: request.out, overwrite: request.overwrite },
      fileSystem,
    );
    freeBytes = await freeBytesFor(job, fileSystem);
    if (!(freeBytes >= outline.bytes))
      problems.push(diskFullError(job.folders.out, outline.bytes, freeBytes).toData());
  } catch (thrown) {
    problems.push(toErrorData(thrown));
  }
  return {
    bytes: outline.bytes,
    freeBytes,
    exists,
    bitsPerWeight: variant.bitsPerWeight,
    fileBitsPerWeight: variant.fileBitsPerWeight,
    restored: restoredCoordinates(variant),
    notes: [
      `The weights are dequantized: the files take ${bytesText(outline.plan.bytes)}, as many as the source. ${variant.bitsPerWeight.toFixed(3)} bits per weight is what a packed format needs.`,
      ...variant.notes,
      ...checkpoint.notes,
    ],
    problems,
  };
}
