import type { Note } from "#shared/notes.ts";
import { toErrorData, type KeystoneErrorData } from "#shared/errors.ts";
import type { ExportRequest } from "#shared/exporting.ts";
import type { Coordinate } from "#shared/recipe.ts";
import { adaptVariant, type FormatRequest } from "./variant/adaptVariant.ts";
import { diskFullError, onDisk } from "#engine/files/output/diskErrors.ts";
import { exporters } from "#engine/formats/exporters.ts";
import type { ExportModel } from "#engine/formats/write/exporter.ts";
import { ExportJob } from "./folder/exportJob.ts";
import { exportNotes } from "./variant/exportNotes.ts";
import type { FileSystem } from "#engine/files/output/fileSystem.ts";
import { nodeFileSystem } from "#engine/files/output/nodeFileSystem.ts";
import { restoredCoordinates } from "#engine/formats/write/restoredWeights.ts";
import { freeBytesFor, outlineExport } from "./writeExport.ts";

/** What a person should know before an export starts. */
export interface ExportCheck {
  readonly bytes: number;
  /** 0 where the place itself is refused. */
  readonly freeBytes: number;
  readonly exists: boolean;
  readonly bitsPerWeight: number;
  readonly fileBitsPerWeight: number;
  /** Of the weights alone; 0 where the format cannot store the variant. */
  readonly weightBytes: number;
  readonly restored: Coordinate[];
  readonly notes: Note[];
  /** What keeps it from starting; empty = it can. */
  readonly problems: KeystoneErrorData[];
}

/** Looks at everything that could refuse an export, without writing a byte. @throws KeystoneError recipe/… */
export async function checkExport(
  model: ExportModel,
  request: FormatRequest & Pick<ExportRequest, "out" | "overwrite" | "maxShardBytes">,
  fileSystem: FileSystem = nodeFileSystem,
): Promise<ExportCheck> {
  const { checkpoint } = model;
  const exporter = exporters[request.format];
  const { variant, changes } = adaptVariant(model, request);
  const source = { model, variant, fileSystem, maxShardBytes: request.maxShardBytes };
  const problems = exporter.problems(variant.recipe, { model, plans: variant.plans });
  // What a format cannot hold has no size in it.
  const outline =
    problems.length > 0
      ? null
      : await outlineExport(request.format, source).catch((thrown: unknown) => {
          problems.push(toErrorData(thrown));
          return null;
        });
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
    if (outline && !(freeBytes >= outline.bytes))
      problems.push(diskFullError(job.folders.out, outline.bytes, freeBytes).toData());
  } catch (thrown) {
    problems.push(toErrorData(thrown));
  }
  return {
    bytes: outline?.bytes ?? 0,
    freeBytes,
    exists,
    bitsPerWeight: variant.bitsPerWeight,
    fileBitsPerWeight: variant.fileBitsPerWeight,
    weightBytes: outline ? exporter.weightBytes(model, variant.plans) : 0,
    restored: restoredCoordinates(variant),
    notes: [
      ...changes,
      ...(outline ? await exportNotes(request.format, source) : [...variant.notes, ...checkpoint.notes]),
    ],
    problems,
  };
}
