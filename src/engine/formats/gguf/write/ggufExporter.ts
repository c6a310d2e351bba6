import type { Note } from "#shared/notes.ts";
import { join } from "node:path";
import { describeDecoder } from "#engine/architecture/readArchitecture.ts";
import { tensorNames } from "../layout/tensorNames.ts";
import { isDerived } from "#engine/checkpoint/tensorRole.ts";
import type { TensorPlan } from "#engine/quantize/plan/tensorPlan.ts";
import { KeystoneError, type KeystoneErrorData } from "#shared/errors.ts";
import { parseGranularity, type Recipe } from "#shared/recipe.ts";
import { granularityLabel, schemeLabel } from "#shared/recipeText.ts";
import { bytesText } from "#engine/files/output/diskErrors.ts";
import type { Exporter, ExportModel, ExportSource, WriteInput } from "../../write/exporter.ts";
import { allBytes, keepModules, keepProblems } from "../../write/keepModules.ts";
import { GENERATION_FILE } from "../../write/madeFiles.ts";
import { writeFile, type WrittenFile } from "#engine/files/output/outputFile.ts";
import { activationProblems, recipeSettings } from "../../write/problems.ts";
import { PACKING_FILES } from "../../write/sourceIndex.ts";
import { equationNotes, equationProblems, ggufFormOf } from "./hyperparameters.ts";
import { padding } from "./metadataWriter.ts";
import { planGguf } from "./planGguf.ts";
import { gguf } from "#shared/exportFormats/gguf.ts";
import { bytesOf, ggmlTypeFor, ownBlocks, storedType } from "./storedTypes.ts";
import { tensorData } from "./tensorData.ts";

/** A module with a restored weight, or embedding and head, where they get 8 bits. */
const EIGHT_BITS = {
  scheme: "q8_0",
  bits: 8,
  symmetric: false,
  granularity: "group:32",
  range: null,
} as const;

/** One GGUF file that llama.cpp and what is built on it load. */
export const ggufExporter: Exporter = {
  problems,
  adapt: (recipe, model, kept) => ({
    ...keepModules(recipe, model, kept, EIGHT_BITS, bytesOf, ownBlocks),
    storage: "F32",
  }),
  weightBytes: (model, plans) => allBytes(model, plans, bytesOf),
  bytesOf,
  eightBitEmbedding: EIGHT_BITS,
  outline: async (source) => ({ bytes: (await planGguf(source)).bytes }),
  notes: notesOf,
  write: async (input) => [await writeGguf(input)],
  // the file's metadata says instead what the model is
  leavesBehind: (name) => PACKING_FILES.has(name) || name === GENERATION_FILE,
};

function problems(
  recipe: Recipe,
  on?: { model: ExportModel; plans: ReadonlyMap<string, TensorPlan> },
): KeystoneErrorData[] {
  const subject = "A GGUF file";
  const wrong = on
    ? [...on.plans.values()].find((plan) => ggmlTypeFor(plan) === null)
    : recipeSettings(recipe)
        .map((settings) => ({ ...settings, granularity: parseGranularity(settings.granularity) }))
        .find((settings) => ggmlTypeFor(settings) === null);
  return [
    ...activationProblems(recipe, subject),
    ...keepProblems(recipe, subject),
    ...(wrong ? [schemeProblem(wrong)] : []),
    ...(on ? modelProblems(on.model, on.plans) : []),
  ];
}

function schemeProblem({
  scheme,
  bits,
  symmetric,
  granularity,
}: Pick<TensorPlan, "scheme" | "bits" | "symmetric" | "granularity">): KeystoneErrorData {
  const size =
    granularity.kind === "group" ? granularityLabel(`group:${granularity.size}`) : granularity.kind;
  return new KeystoneError(
    "export/gguf-scheme",
    `GGUF has no block that holds ${schemeLabel({ scheme, bits, symmetric })} with ${size} exactly.`,
    `Choose one of ${gguf.schemes}; with blocks in ${gguf.granularities}.`,
    { scheme, bits, granularity: size },
  ).toData();
}

function modelProblems(
  { checkpoint }: ExportModel,
  plans: ReadonlyMap<string, TensorPlan>,
): KeystoneErrorData[] {
  const config = describeDecoder(checkpoint.config);
  const form = ggufFormOf(config);
  const names = tensorNames(form);
  const tensors = [...checkpoint.tensors.values()].filter(({ name }) => !isDerived(name));
  const unnamed = form && tensors.find(({ name }) => names.toGguf(name) === null);
  const untyped = tensors.find((tensor) => !plans.has(tensor.name) && storedType(tensor) === null);
  const problem = (code: string, message: string): KeystoneErrorData =>
    new KeystoneError(code, message, "Export as safetensors instead.", {}).toData();
  return [
    ...equationProblems(config),
    ...(unnamed
      ? [problem("export/gguf-tensor", `llama.cpp cannot store the tensor ${unnamed.name} of this model.`)]
      : []),
    ...(untyped
      ? [
          problem(
            "export/gguf-dtype",
            `The tensor ${untyped.name} is stored as ${untyped.dtype}, which a GGUF file is not given.`,
          ),
        ]
      : []),
  ];
}

async function notesOf(source: ExportSource): Promise<Note[]> {
  const { bytes, notes, file } = await planGguf(source);
  const config = describeDecoder(source.model.checkpoint.config);
  return [
    { code: "export/size", text: `One file, ${file}, of ${bytesText(bytes)}.` },
    ...notes,
    ...equationNotes(config),
  ];
}

async function writeGguf(input: WriteInput): Promise<WrittenFile> {
  const { disk, progress } = input;
  const { file, header, tensors } = await planGguf(input);
  return writeFile(disk, file, join(disk.folder, file), async (append) => {
    await append(header);
    await progress.advance(header.byteLength);
    for (const tensor of tensors) {
      const { source, name } = tensor;
      if (!(source instanceof Float32Array)) await input.useSource([source.file]);
      await progress.begin(`writing ${source instanceof Float32Array ? name : source.name}`);
      for await (const chunk of tensorData(input, tensor)) {
        await append(chunk);
        await progress.advance(chunk.byteLength);
      }
      const rest = padding(tensor.bytes);
      await append(new Uint8Array(rest));
      await progress.advance(rest);
    }
  });
}
