import type { Note } from "#shared/notes.ts";
import { z } from "zod";
import type { TensorInfo } from "#shared/model.ts";
import { isStorageType } from "#engine/numeric/storageTypes.ts";
import { tensorInfo, type Place } from "#engine/checkpoint/tensorInfo.ts";
import type { FoundTensors, PackedParts, PlainTensor } from "./findMatrices.ts";
import { MODEL_FILE } from "../layout/names.ts";
import type { OnnxTensor } from "./onnxCheckpoint.ts";
import { dtypeOf, elementsOf, placeOf } from "./places.ts";
import type { PlacedMatrix } from "./readPacked.ts";
import { splitRows, type RowSplit } from "./splitRows.ts";

type Config = Readonly<Record<string, unknown>>;

export interface DecoderTensors {
  /** By Hugging Face name. */
  readonly tensors: ReadonlyMap<string, OnnxTensor>;
  /** The config with what the model does differently. */
  readonly config: Config;
  readonly notes: readonly Note[];
}

const HEAD = "lm_head.weight";
const EMBEDDING = "model.embed_tokens.weight";
const tied = z.looseObject({ tie_word_embeddings: z.literal(true) });

/** What found tensors are held against. */
interface Holding {
  readonly config: Config;
  /** Names that the config's family has for its tensors. */
  readonly own: ReadonlySet<string>;
  /** Bytes of each file of the model. */
  readonly sizes: ReadonlyMap<string, number>;
}

/**
 * Found tensors as a checkpoint lists them: places held against the files, matrices that were put together for speed taken
 * apart again where the config's family has them apart.
 * @throws KeystoneError onnx/…
 */
export function tensorsOf(found: FoundTensors, { config, own, sizes }: Holding): DecoderTensors {
  const tensors = new Map<string, OnnxTensor>();
  for (const parts of found.packed) {
    const matrix = placeMatrix(parts, sizes);
    for (const split of splitRows(parts.name, parts.rows, config, own))
      tensors.set(split.name, packedTensor(matrix, split));
  }
  for (const plain of found.plain) {
    const whole = plainInfo(plain, sizes);
    const rows = plain.transposed ? (whole.shape[1] ?? 0) : (whole.shape[0] ?? 0);
    for (const split of splitRows(plain.name, rows, config, own))
      tensors.set(split.name, plainTensor(plain, whole, split));
  }
  return settleHead(tensors, config);
}

/** A tied head that the model stores: as the embedding where it has no other, else as a head of its own. */
function settleHead(tensors: Map<string, OnnxTensor>, config: Config): DecoderTensors {
  const head = tensors.get(HEAD);
  if (!head || !tied.safeParse(config).success) return { tensors, config, notes: [] };
  if (tensors.has(EMBEDDING)) {
    return {
      tensors,
      config: { ...config, tie_word_embeddings: false },
      notes: [
        {
          code: "head/not-tied",
          text: "The output head has weights of its own here, though config.json ties it to the embedding.",
        },
      ],
    };
  }
  const [rows = 0, columns = 0] = head.info.shape;
  const info = {
    ...tensorInfo(EMBEDDING, [rows, columns], head.info.dtype, head.info),
    bytes: head.info.bytes,
  };
  tensors.delete(HEAD);
  const { packed } = head.info;
  tensors.set(EMBEDDING, { ...head, info: packed ? { ...info, packed } : info });
  return { tensors, config, notes: [] };
}

function placeMatrix(parts: PackedParts, sizes: ReadonlyMap<string, number>): PlacedMatrix {
  const at = (tensor: PackedParts["codes"]): Place => placeOf(tensor, MODEL_FILE, sizes);
  const { codes, scales, zeroPoints, restored } = parts;
  const scaleType = dtypeOf(scales);
  if (!isStorageType(scaleType)) throw new TypeError(`scales of type ${scaleType} passed the checks`);
  return {
    parts,
    codes: at(codes),
    scales: at(scales),
    scaleType,
    zeroPoints: zeroPoints && at(zeroPoints),
    restored: restored && {
      rows: at(restored.rows),
      columns: at(restored.columns),
      values: at(restored.values),
    },
  };
}

function packedTensor(matrix: PlacedMatrix, { name, first, rows }: RowSplit): OnnxTensor {
  const { parts, codes, scales, zeroPoints, restored } = matrix;
  const places = [codes, scales, zeroPoints, ...Object.values(restored ?? {})];
  const stored = places.reduce((sum, place) => sum + (place ? place.end - place.begin : 0), 0);
  const share = rows / parts.rows;
  const codeWidth = (codes.end - codes.begin) / parts.rows;
  const parameters = rows * parts.columns;
  const info = tensorInfo(name, [rows, parts.columns], "F32", {
    file: codes.file,
    begin: codes.begin + first * codeWidth,
    end: codes.begin + (first + rows) * codeWidth,
  });
  const packed = {
    scheme: `MatMulNBits int${parts.bits}, group ${parts.blockSize}${restored ? `, ${elementsOf(parts.restored?.values ?? parts.codes)} restored` : ""}`,
    bitsPerWeight: (8 * stored * share) / parameters,
  };
  return {
    info: { ...info, bytes: Math.round(stored * share), packed },
    stored: { kind: "packed", matrix, first },
  };
}

function plainInfo({ name, tensor }: PlainTensor, sizes: ReadonlyMap<string, number>): TensorInfo {
  return tensorInfo(name, tensor.shape, dtypeOf(tensor), placeOf(tensor, MODEL_FILE, sizes));
}

function plainTensor(
  { transposed }: PlainTensor,
  whole: TensorInfo,
  { name, first, rows }: RowSplit,
): OnnxTensor {
  if (transposed) {
    const [columns = 0] = whole.shape;
    const info = tensorInfo(name, [rows, columns], whole.dtype, whole);
    return {
      info: { ...info, ...storedTransposed(whole, info.parameters) },
      stored: { kind: "transposed", whole, first },
    };
  }
  const [all = 1, ...rest] = whole.shape;
  const width = whole.bytes / Math.max(1, all);
  const shape = whole.shape.length === 0 ? [] : [rows, ...rest];
  const begin = whole.begin + first * width;
  return {
    info: tensorInfo(name, shape, whole.dtype, { file: whole.file, begin, end: begin + rows * width }),
    stored: { kind: "plain" },
  };
}

/** What is not its weights one after another is told like what is packed, so that nobody takes its bytes for them. */
function storedTransposed(whole: TensorInfo, parameters: number): Pick<TensorInfo, "bytes" | "packed"> {
  const bytes = (whole.bytes * parameters) / Math.max(1, whole.parameters);
  const bitsPerWeight = (8 * bytes) / Math.max(1, parameters);
  return { bytes, packed: { scheme: `${whole.dtype}, transposed`, bitsPerWeight } };
}
