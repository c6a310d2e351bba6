import type { Note } from "#shared/notes.ts";
import { tensorsInWords } from "#engine/recipe/notes.ts";
import type { ExportFormat } from "#shared/exporting.ts";
import { fileSize } from "#shared/format.ts";
import type { TensorInfo } from "#shared/model.ts";
import { exportFormatOf } from "#shared/exportFormats/index.ts";
import { ownBlocks } from "#engine/formats/gguf/write/storedTypes.ts";
import { embeddingSaving, largeEnds } from "./embeddingBits.ts";
import type { BytesOf, ExportSource } from "#engine/formats/write/exporter.ts";
import { exporters } from "#engine/formats/exporters.ts";

type Sized = Pick<ExportSource, "model" | "variant">;

/** A smaller gain is not worth a sentence. */
const WORTH_SAYING = 0.02;

/** Where the weights take more bytes than the source's: why, and what would take fewer. One sentence each. */
export function sizeNotes(format: ExportFormat, { model, variant }: Sized): Note[] {
  const exporter = exporters[format];
  const carried = exporter.tensors?.(model);
  const tensors = [...model.checkpoint.tensors.values()].filter(({ name }) => carried?.has(name) ?? true);
  const before = tensors.reduce((sum, { bytes }) => sum + bytes, 0);
  const after = exporter.weightBytes(model, variant.plans);
  const saving = savingOf(format, { model, variant });
  const offer = saving > WORTH_SAYING * after ? offerText(model, saving) : [];
  if (after <= before) return offer;
  const { size, copiesGgufBlocks } = exportFormatOf(format);
  const rounded = size === "dequantized" ? "dequantized" : "quantized";
  const reasons = exporter.bytesOf ? whyLarger(tensors, variant.plans, exporter.bytesOf, rounded) : [];
  const why = reasons.length === 0 ? "" : `: ${reasons.join("; ")}`;
  const blocks = !copiesGgufBlocks && tensors.some((tensor) => ownBlocks(tensor) !== null);
  return [
    {
      code: "export/larger",
      text: `The weights take ${fileSize(after)}, more than the source's ${fileSize(before)}${why}.`,
    },
    ...offer,
    ...(blocks
      ? [
          {
            code: "export/gguf-copies",
            text: "A gguf export copies the source's own blocks of what the recipe leaves alone, and is not larger for it.",
          },
        ]
      : []),
  ];
}

/** What grows: tensors that are quantized to more bits than the source has, and tensors that leave the source's codes. */
function whyLarger(
  tensors: readonly TensorInfo[],
  plans: Sized["variant"]["plans"],
  bytesOf: BytesOf,
  rounded: "quantized" | "dequantized",
): string[] {
  const grown = tensors.filter((tensor) => bytesOf(tensor, plans.get(tensor.name)) > tensor.bytes);
  const text = (some: readonly TensorInfo[], how: string): string[] => {
    if (some.length === 0) return [];
    const now = some.reduce((sum, tensor) => sum + bytesOf(tensor, plans.get(tensor.name)), 0);
    const then = some.reduce((sum, { bytes }) => sum + bytes, 0);
    const verb = some.length === 1 ? "takes" : "take";
    return [
      `${tensorsInWords(some.map(({ name }) => name))} ${verb} ${fileSize(now)} ${how}, ${fileSize(then)} in the source`,
    ];
  };
  return [
    ...text(
      grown.filter(({ name, shape }) => !plans.has(name) && shape.length > 1),
      "unquantized",
    ),
    ...text(
      grown.filter(({ name }) => plans.has(name)),
      rounded,
    ),
  ];
}

/** Bytes that embedding and head would take less in 8 bits; 0 where the format does not offer that. */
function savingOf(format: ExportFormat, { model, variant }: Sized): number {
  const { eightBitEmbedding: eightBits, bytesOf } = exporters[format];
  return eightBits && bytesOf ? embeddingSaving(variant.recipe, model, eightBits, bytesOf) : 0;
}

function offerText(model: ExportSource["model"], saving: number): Note[] {
  const what = largeEnds(model).length > 1 ? "Embedding and head" : "The embedding, which is the head too,";
  const take = largeEnds(model).length > 1 ? "take" : "takes";
  return [
    {
      code: "export/8-bit-embedding",
      text: `${what} ${take} ${fileSize(saving)} less in 8 bits, and the variant is judged so (--embedding 8-bit).`,
    },
  ];
}
