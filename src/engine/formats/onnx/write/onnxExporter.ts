import type { Note } from "#shared/notes.ts";
import { familyFor } from "#engine/architecture/readArchitecture.ts";
import type { Exporter, ExportModel, WriteInput } from "../../write/exporter.ts";
import type { ExportVariant } from "../../write/exportedVariant.ts";
import { madeBytes, tokenizerNotes, writeMadeFiles } from "../../write/madeFiles.ts";
import { writeJsonFile, type WrittenFile } from "#engine/files/output/outputFile.ts";
import { CONFIG_FILE, isStale, rewritesConfig } from "../../write/sourceIndex.ts";
import { planDecoder } from "./decoderPlan.ts";
import { GENAI_FILE, genaiConfig } from "./genaiConfig.ts";
import { onnxProblems } from "./onnxProblems.ts";
import { writeDecoder } from "./writeDecoder.ts";

/** A complete decoder on MatMulNBits, with keys and values, for onnxruntime and onnxruntime-genai. */
export const onnxExporter: Exporter = {
  problems: onnxProblems,
  adapt: (recipe) => ({ recipe, storage: "F32", changes: [] }),
  tensors: usedTensors,
  weightBytes: (model, plans) =>
    planDecoder(model, { plans }).tensors.reduce((sum, { bytes }) => sum + bytes, 0),
  outline: async (source) => {
    const { model, dataBytes } = planDecoder(source.model, source.variant);
    return { bytes: model.byteLength + dataBytes + (await madeBytes(source.model.checkpoint)) };
  },
  notes: async ({ model, variant }) => [
    ...sizeNotes(model, variant),
    ...genaiNotes(model),
    ...(await tokenizerNotes(model.checkpoint)),
  ],
  leavesBehind: (name, { checkpoint }) => isStale(name, checkpoint),
  write: async (input: WriteInput): Promise<WrittenFile[]> => {
    const files = await writeDecoder(input, planDecoder(input.model, input.variant));
    files.push(await writeJsonFile(input.disk, GENAI_FILE, await genaiConfig(input.model)));
    // the source's own config.json says that its weights are packed
    const { checkpoint } = input.model;
    if (rewritesConfig(checkpoint))
      files.push(await writeJsonFile(input.disk, CONFIG_FILE, checkpoint.config));
    files.push(...(await writeMadeFiles(input)));
    return files;
  },
};

/** Says where onnxruntime-genai, which generates with such a folder, does not have the family. */
function genaiNotes({ checkpoint }: ExportModel): Note[] {
  const { modelType, genai } = familyFor(checkpoint.config);
  return genai
    ? []
    : [
        {
          code: "onnx/genai-family",
          text: `onnxruntime-genai does not know the family ${modelType}: onnxruntime itself runs this decoder.`,
        },
      ];
}

/** What the decoder's equations read. */
function usedTensors({ architecture }: ExportModel): ReadonlySet<string> {
  const layers = Array.from({ length: architecture.facts.layers }, (_, layer) =>
    architecture.layerTensors(layer).map(({ name }) => name),
  );
  return new Set([...architecture.outerTensors.map(({ name }) => name), ...layers.flat()]);
}

/** Says what a quantized weight takes in this file, where that is more than the recipe counts. */
function sizeNotes(model: ExportModel, variant: ExportVariant): Note[] {
  const packed = planDecoder(model, variant).tensors.filter(({ source }) => variant.plans.has(source));
  const bits = packed.reduce((sum, { bytes }) => sum + 8 * bytes, 0);
  const weights = [...variant.plans.values()].reduce((sum, { rows, columns }) => sum + rows * columns, 0);
  const inFile = bits / weights;
  const [there, counted] = [inFile, variant.bitsPerWeight].map((each) => each.toFixed(3));
  if (!(Number(there) > Number(counted))) return [];
  return [
    {
      code: "onnx/bits",
      text: `In this file a quantized weight takes ${there} bits instead of ${counted}: scales are stored as f32, the last block of a row is filled up, and a restored weight has its place beside it.`,
    },
  ];
}
