import type { Graph, StoredTensor, Value } from "#engine/architecture/graph/graph.ts";
import type { ElementType } from "#engine/architecture/graph/onnx.ts";
import type { DecoderWeights } from "#engine/architecture/decoder/architecture.ts";
import { storageOf } from "#engine/checkpoint/readTensor.ts";
import { DATA_FILE } from "../layout/names.ts";
import type { StorageType } from "#engine/numeric/storageTypes.ts";
import type { TensorPlan } from "#engine/quantize/plan/tensorPlan.ts";
import type { ExportModel } from "../../write/exporter.ts";
import type { ExportVariant } from "../../write/exportedVariant.ts";
import { packedLinear, packedMatrix, packedRows } from "./packedMatrix.ts";

const ELEMENTS: Readonly<Record<StorageType, ElementType>> = {
  F32: "float32",
  F16: "float16",
  BF16: "bfloat16",
};

/** Stored tensors begin on a multiple of this, */
const ALIGNMENT = 64;
/** and large ones on one that every system can map into memory from (Windows maps from multiples of 64 KiB). */
const MAP_ALIGNMENT = 65_536;
const LARGE_BYTES = 1_048_576;

/** One stretch of the data file. */
export interface PlacedTensor extends StoredTensor {
  /** Tensor of the checkpoint that it comes from. */
  readonly source: string;
  readonly offset: number;
}

/** The two files of a decoder, known before any weight is read. */
export interface DecoderPlan {
  /** Content of model.onnx. */
  readonly model: Uint8Array;
  /** In the order of the data file; what lies between two is filled with zeros. */
  readonly tensors: readonly PlacedTensor[];
  readonly dataBytes: number;
}

/**
 * A variant as an ONNX decoder. Quantized matrices are MatMulNBits; every other tensor is stored with the source's own bytes
 * and cast to f32 in the graph, which is exact and half the size.
 */
export function planDecoder(
  { checkpoint, architecture }: ExportModel,
  variant: Pick<ExportVariant, "plans">,
): DecoderPlan {
  const sources = new Map<string, string>();
  const graph = architecture.decoderGraph(storedWeights(checkpoint.tensors, variant.plans, sources));
  const places = new Map<string, PlacedTensor>();
  let end = 0;
  for (const tensor of graph.stored) {
    const offset = alignedTo(end, tensor.bytes >= LARGE_BYTES ? MAP_ALIGNMENT : ALIGNMENT);
    places.set(tensor.name, { ...tensor, source: sources.get(tensor.name) ?? tensor.name, offset });
    end = offset + tensor.bytes;
  }
  const model = graph.encode(({ name, bytes }) => {
    const offset = places.get(name)?.offset ?? 0;
    return { file: DATA_FILE, offset, length: bytes };
  });
  return { model, tensors: [...places.values()], dataBytes: end };
}

function alignedTo(at: number, alignment: number): number {
  return Math.ceil(at / alignment) * alignment;
}

type Tensors = ExportModel["checkpoint"]["tensors"];

/** Declares each tensor in the form it is stored in, and notes which tensor of the checkpoint every stored one comes from. */
function storedWeights(
  tensors: Tensors,
  plans: ReadonlyMap<string, TensorPlan>,
  sources: Map<string, string>,
): DecoderWeights {
  const stored = (g: Graph, name: string): Value => {
    const tensor = tensors.get(name);
    if (!tensor) throw new Error(`the checkpoint has no tensor ${name}`);
    return g.store(name, ELEMENTS[storageOf(tensor)], tensor.shape);
  };
  const widened = (g: Graph, name: string, value: Value): Value =>
    tensors.get(name)?.dtype === "F32" ? value : g.cast(value, "float32");
  /** What `use` declares for the first time comes from the tensor of that name. */
  const from = (g: Graph, name: string, use: () => Value): Value => {
    const before = g.stored.length;
    const value = use();
    for (const { name: part } of g.stored.slice(before)) sources.set(part, name);
    return value;
  };
  return {
    vector: (g, name) => widened(g, name, stored(g, name)),
    linear: (g, name, x, bias) => {
      const plan = plans.get(name);
      if (!plan) return g.linear(x, widened(g, name, stored(g, name)), bias ?? undefined);
      const y = from(g, name, () => packedLinear(g, packedMatrix(plan), x));
      return bias ? g.add(y, bias) : y;
    },
    rows: (g, name, ids) => {
      const plan = plans.get(name);
      if (plan) return from(g, name, () => packedRows(g, packedMatrix(plan), ids));
      return widened(g, name, g.op("Gather", [stored(g, name), ids], { axis: 0 }));
    },
  };
}
