import type { Watch } from "#engine/evaluate/stream/engine.ts";
import type { WindowSet } from "#engine/evaluate/windows/windowSet.ts";
import type { ExportModel } from "#engine/formats/write/exporter.ts";

/** What an export is run on in its runtime. */
export interface RunRequest {
  readonly model: ExportModel;
  readonly windows: WindowSet;
  /** Some of the scored documents and their tokens by the source's tokenizer, no BOS among them. */
  readonly passages: readonly { readonly text: string; readonly ids: readonly number[] }[];
  readonly threads: number;
  readonly watch: Watch;
  /** Memory that the run may take. */
  readonly memoryBytes: number;
  /** Folders where a person may have installed programs for Keystone, as npm does: node_modules inside. */
  readonly programs: readonly string[];
}
