import type { Note } from "#shared/notes.ts";
import { dataBytes } from "#engine/checkpoint/dtypes.ts";
import type { Override } from "#shared/recipe.ts";
import { bytesText } from "#engine/files/output/diskErrors.ts";
import type { BytesOf, Exporter, ExportSource } from "../../write/exporter.ts";
import { allBytes, keepModules, plansOf } from "../../write/keepModules.ts";
import { madeBytes, tokenizerNotes } from "../../write/madeFiles.ts";
import { PACKING_FILES } from "../../write/sourceIndex.ts";
import { uniformDtype } from "./uniformDtype.ts";
import { moduleBytes } from "./moduleLayout.ts";
import { packedProblems, type PackedLimits } from "./packedProblems.ts";
import { planPacked, writePacked, type LayoutOf, type PackedFiles } from "./writePacked.ts";

/** One packed format: what tells it from the others. */
export interface PackedFormat {
  readonly limits: PackedLimits;
  readonly layoutOf: LayoutOf;
  /** config.json and what else says how the weights are packed. */
  readonly files: PackedFiles;
  /** What its loaders do not do with this variant; one sentence each. */
  readonly notes: (source: ExportSource) => readonly Note[];
}

/** An exporter of a folder whose linears are packed modules and whose other tensors are as they were. */
export function packedExporter({ limits, layoutOf, files, notes }: PackedFormat): Exporter {
  const eightBits: Omit<Override, "match"> = { scheme: limits.scheme, bits: 8, range: null };
  // of every version the modules are of one size
  const bytesOf: BytesOf = (tensor, plan) =>
    plan ? moduleBytes(layoutOf({ plans: new Map([[plan.name, plan]]) }), plan) : dataBytes(tensor);
  return {
    problems: (recipe, on) => packedProblems(limits, recipe, on),
    adapt: (recipe, model, kept) => {
      const adapted = keepModules(recipe, model, kept, eightBits, bytesOf);
      const typed = uniformDtype(plansOf(adapted.recipe, model).values());
      return { ...adapted, ...typed, changes: [...adapted.changes, ...typed.changes] };
    },
    weightBytes: (model, plans) => allBytes(model, plans, bytesOf),
    bytesOf,
    outline: async (source) => {
      const { bytes } = await planPacked(source, layoutOf);
      return { bytes: bytes + (await madeBytes(source.model.checkpoint)) };
    },
    write: (input) => writePacked(input, layoutOf, files),
    notes: async (source) => {
      const { bytes } = await planPacked(source, layoutOf);
      const { bitsPerWeight } = source.variant;
      return [
        {
          code: "export/size",
          text: `The weight files take ${bytesText(bytes)}, ${bitsPerWeight.toFixed(3)} bits per quantized weight.`,
        },
        ...notes(source),
        ...(await tokenizerNotes(source.model.checkpoint)),
      ];
    },
    leavesBehind: (name) => PACKING_FILES.has(name),
  };
}
