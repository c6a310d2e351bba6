import { KeystoneError } from "#shared/errors.ts";
import { shown } from "#engine/files/strictJson.ts";
import { huggingFaceName, packedNames, withoutCodesEnding } from "../layout/names.ts";
import { elementsOf } from "./places.ts";
import type { Initializer, OnnxModel, OnnxNode } from "./readModel.ts";

/** A matrix packed for MatMulNBits: w = (code − zero)·scale. */
export interface PackedParts {
  readonly name: string;
  readonly bits: number;
  readonly blockSize: number;
  readonly rows: number;
  readonly columns: number;
  /** Blocks of a row. */
  readonly blocks: number;
  readonly codes: Initializer;
  readonly scales: Initializer;
  /** Null = 2^(bits − 1) everywhere. */
  readonly zeroPoints: Initializer | null;
  /** Weights that stand beside it as themselves. */
  readonly restored: {
    readonly rows: Initializer;
    readonly columns: Initializer;
    readonly values: Initializer;
  } | null;
}

/** A tensor stored as itself; `transposed` = (in, out), as MatMul wants it. */
export interface PlainTensor {
  readonly name: string;
  readonly tensor: Initializer;
  readonly transposed: boolean;
}

export interface FoundTensors {
  readonly packed: readonly PackedParts[];
  readonly plain: readonly PlainTensor[];
}

const PACKED_BITS = [2, 4, 8];
const [FLOAT, BYTE, INT32] = [1, 2, 6];
const FLOATS = [FLOAT, 10, 16];
const HAS_TRANSPOSED_WEIGHT = "MatMul";

/**
 * The weights of a decoder under Hugging Face's names: the matrices of its MatMulNBits and MatMul operators, and every other
 * tensor whose name is a weight's.
 * @param own names that the config's family has for its tensors
 * @param width columns of the embedding table, whose packed form has no operator that says them; null = whole blocks
 * @throws KeystoneError onnx/bad-matrix, onnx/duplicate
 */
export function findMatrices(
  { nodes, initializers }: OnnxModel,
  width: number | null,
  own: ReadonlySet<string>,
): FoundTensors {
  const named = (name: string): string | null => (own.has(name) ? name : huggingFaceName(name));
  const taken = new Set<string>();
  const packed = new Map<string, PackedParts>();
  const plain = new Map<string, PlainTensor>();
  /** Weights stay what they are behind a change of type. */
  const castFrom = new Map(
    nodes.filter(({ type }) => type === "Cast").map(({ inputs, outputs }) => [outputs[0], inputs[0]]),
  );
  for (const node of [...nodes, ...tableNodes(initializers, width)]) {
    const weight = castFrom.get(node.inputs[1] ?? "") ?? node.inputs[1] ?? "";
    const tensor = initializers.get(weight);
    if (!tensor || taken.has(weight)) continue;
    if (node.type === "MatMulNBits" && node.domain === "com.microsoft") {
      const parts = packedParts(node, initializers, named);
      add(packed, parts.name, parts);
      for (const part of [
        parts.codes,
        parts.scales,
        parts.zeroPoints,
        ...Object.values(parts.restored ?? {}),
      ])
        if (part) taken.add(part.name);
    } else if (node.type === HAS_TRANSPOSED_WEIGHT && tensor.shape.length === 2) {
      const name = named(weight) ?? named(node.name);
      if (name === null) continue;
      add(plain, name, { name, tensor, transposed: true });
      taken.add(weight);
    }
  }
  for (const tensor of initializers.values()) {
    const name = taken.has(tensor.name) ? null : named(tensor.name);
    if (name === null || packed.has(name)) continue;
    add(plain, name, { name, tensor, transposed: false });
  }
  return { packed: [...packed.values()], plain: [...plain.values()] };
}

/** MatMulNBits operators that packed tables would have: their rows are looked up instead. */
function tableNodes(initializers: ReadonlyMap<string, Initializer>, width: number | null): OnnxNode[] {
  const nodes: OnnxNode[] = [];
  for (const { name, shape } of initializers.values()) {
    const [, table, bits] =
      /^(.+\.(?:embed_tokens|embed_in|word_embeddings|wte)\.weight)_Q(\d)$/.exec(name) ?? [];
    if (table === undefined || bits === undefined || shape.length !== 3) continue;
    const [rows = 0, blocks = 0, bytes = 0] = shape;
    const blockSize = (bytes * 8) / Number(bits);
    const fits = width !== null && Math.ceil(width / blockSize) === blocks;
    const names = packedNames(table, Number(bits));
    nodes.push({
      type: "MatMulNBits",
      domain: "com.microsoft",
      name,
      inputs: ["", names.codes, names.scales, initializers.has(names.zeroPoints) ? names.zeroPoints : ""],
      outputs: [],
      integers: new Map([
        ["N", rows],
        ["K", fits ? width : blocks * blockSize],
        ["bits", Number(bits)],
        ["block_size", blockSize],
      ]),
    });
  }
  return nodes;
}

function add<T>(tensors: Map<string, T>, name: string, tensor: T): void {
  if (tensors.has(name)) {
    throw new KeystoneError(
      "onnx/duplicate",
      `The model holds ${shown(name)} twice.`,
      "Export the model again: each weight belongs to one operator.",
      { tensor: name },
    );
  }
  tensors.set(name, tensor);
}

/** @throws KeystoneError onnx/bad-matrix where the parts do not make up a matrix of rows × columns */
function packedParts(
  node: OnnxNode,
  initializers: ReadonlyMap<string, Initializer>,
  named: (name: string) => string | null,
): PackedParts {
  const bad = (what: string): KeystoneError => badMatrix(node.inputs[1] ?? node.name, what);
  const of = (name: string | undefined): Initializer | null =>
    name ? (initializers.get(name) ?? null) : null;
  const [codes, scales, zeroPoints] = node.inputs.slice(1, 4).map(of);
  const integer = (key: string, fallback: number | null): number => {
    const value = node.integers.get(key) ?? fallback;
    if (value !== null && Number.isSafeInteger(value) && value > 0) return value;
    throw bad(`says ${key} ${String(value)}`);
  };
  const [rows, columns] = [integer("N", null), integer("K", null)];
  const [bits, blockSize] = [integer("bits", 4), integer("block_size", null)];
  const blocks = Math.ceil(columns / blockSize);
  if (!PACKED_BITS.includes(bits)) throw bad(`has codes of ${bits} bits`);
  if (!codes || !scales) throw bad("has codes or scales that are computed");
  if (node.inputs[3] && !zeroPoints) throw bad("has zero points that are computed");
  if (node.inputs[4]) throw bad("has its columns in another order (g_idx)");
  const expect = (part: Initializer, types: readonly number[], elements: number, what: string): void => {
    if (!types.includes(part.type)) throw bad(`has ${what} of a type that is not read (${part.type})`);
    if (elementsOf(part) !== elements)
      throw bad(`has ${elementsOf(part)} ${what} where ${rows} × ${columns} weights need ${elements}`);
  };
  expect(codes, [BYTE], rows * blocks * Math.ceil((blockSize * bits) / 8), "bytes of codes");
  expect(scales, FLOATS, rows * blocks, "scales");
  if (zeroPoints) expect(zeroPoints, [BYTE], rows * Math.ceil((blocks * bits) / 8), "bytes of zero points");

  const base = withoutCodesEnding(codes.name) ?? codes.name;
  const name = named(base) ?? named(node.name) ?? base;
  const restored = restoredParts(base, bits, initializers, expect);
  return {
    name,
    bits,
    blockSize,
    rows,
    columns,
    blocks,
    codes,
    scales,
    zeroPoints: zeroPoints ?? null,
    restored,
  };
}

function restoredParts(
  base: string,
  bits: number,
  initializers: ReadonlyMap<string, Initializer>,
  expect: (part: Initializer, types: readonly number[], elements: number, what: string) => void,
): PackedParts["restored"] {
  const names = packedNames(base, bits);
  const [rows, columns, values] = [names.restoredRows, names.restoredColumns, names.restoredValues].map(
    (name) => initializers.get(name),
  );
  if (!rows || !columns || !values) return null;
  const count = elementsOf(values);
  expect(rows, [INT32], count, "rows of restored weights");
  expect(columns, [INT32], count, "columns of restored weights");
  expect(values, [FLOAT], count, "restored weights");
  return { rows, columns, values };
}

function badMatrix(tensor: string, what: string): KeystoneError {
  return new KeystoneError(
    "onnx/bad-matrix",
    `The quantized matrix ${shown(tensor)} ${what}, which cannot be read.`,
    "Export the model again with onnxruntime's MatMulNBits quantizer, or from Keystone.",
    { tensor },
  );
}
