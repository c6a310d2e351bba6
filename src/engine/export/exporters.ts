import type { ExportFormat } from "#shared/exporting.ts";
import { exportSafetensors, type ExportInput, type FinishedExport } from "./exportSafetensors.ts";
import { describeSafetensors } from "./safetensorsFormat.ts";
import type { FormatDescription } from "./types.ts";

/** One format that variants can leave as. */
export interface Exporter {
  /** What the format can hold; asked before a sweep, shown before an export. */
  describe(): FormatDescription;
  write(input: ExportInput): Promise<FinishedExport>;
}

/** Every format by its name; a further one is a file of its own, a line here and a name in `exportFormat`. */
export const exporters: Readonly<Record<ExportFormat, Exporter>> = {
  safetensors: { describe: describeSafetensors, write: exportSafetensors },
};
