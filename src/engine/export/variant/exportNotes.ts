import type { Note } from "#shared/notes.ts";
import type { ExportFormat } from "#shared/exporting.ts";
import type { ExportSource } from "#engine/formats/write/exporter.ts";
import { exporters } from "#engine/formats/exporters.ts";
import { sizeNotes } from "./sizeNotes.ts";

/**
 * What a person should know about an export, one sentence each: what the format's loaders do not take of this variant and what
 * the files hold, then what the recipe and the checkpoint gave rise to. Known before anything is written.
 * @throws KeystoneError as the exporter's outline
 */
export async function exportNotes(format: ExportFormat, source: ExportSource): Promise<Note[]> {
  return [
    ...(await exporters[format].notes(source)),
    ...sizeNotes(format, source),
    ...source.variant.notes,
    ...source.model.checkpoint.notes,
  ];
}
