import {
  encodeModel,
  type Attribute,
  type Dimension,
  type ElementType,
  type OnnxNode,
  type OnnxTensor,
  type OnnxValue,
} from "./onnx.ts";

const OPSET = 21;

/** A tensor inside a graph: what an operator gave or what the graph is fed. Only the graph that made it may use it. */
export interface Value {
  readonly id: string;
}

type Attributes = Readonly<Record<string, Attribute>>;

/**
 * Builds an ONNX graph by calling operators on handles, so that a layer reads like its equations.
 * Nodes are named after the scope they are made in (`attention/MatMul_3`), which is what a profile shows.
 */
export class Graph {
  readonly #name: string;
  readonly #nodes: OnnxNode[] = [];
  readonly #constants = new Map<string, OnnxTensor>();
  readonly #inputs: OnnxValue[] = [];
  readonly #outputs: OnnxValue[] = [];
  readonly #scopes: string[] = [];

  constructor(name: string) {
    this.#name = name;
  }

  /** Declares a tensor that is fed when the graph runs. */
  input(name: string, shape: readonly Dimension[], type: ElementType = "float32"): Value {
    this.#inputs.push({ name, shape, type });
    return { id: name };
  }

  /** Declares `value` as a result named `name`. */
  output(name: string, value: Value, shape: readonly Dimension[], type: ElementType = "float32"): void {
    this.#nodes.push({
      type: "Identity",
      name: `output/${name}`,
      inputs: [value.id],
      outputs: [name],
      attributes: {},
      domain: "",
    });
    this.#outputs.push({ name, shape, type });
  }

  /** Names every node made inside `build` after `name`. */
  scope<T>(name: string, build: () => T): T {
    this.#scopes.push(name);
    try {
      return build();
    } finally {
      this.#scopes.pop();
    }
  }

  /** Any operator of ONNX with one result. */
  op(type: string, inputs: readonly Value[], attributes: Attributes = {}): Value {
    return this.#node(type, inputs, attributes, 1)[0];
  }

  add = (a: Value, b: Value): Value => this.op("Add", [a, b]);
  subtract = (a: Value, b: Value): Value => this.op("Sub", [a, b]);
  multiply = (a: Value, b: Value): Value => this.op("Mul", [a, b]);
  matMul = (a: Value, b: Value): Value => this.op("MatMul", [a, b]);
  sigmoid = (x: Value): Value => this.op("Sigmoid", [x]);
  transpose = (x: Value, order: readonly number[]): Value => this.op("Transpose", [x], { perm: order });
  softmax = (x: Value, axis: number): Value => this.op("Softmax", [x], { axis });
  logSoftmax = (x: Value, axis: number): Value => this.op("LogSoftmax", [x], { axis });
  concat = (parts: readonly Value[], axis: number): Value =>
    parts.length === 1 ? parts[0] : this.op("Concat", parts, { axis });
  /** Sum over one axis, which disappears. */
  sum = (x: Value, axis: number): Value => this.op("ReduceSum", [x, this.ints([axis])], { keepdims: 0 });

  /** x·Wᵀ + b. x: (rows, in); W: (out, in), as checkpoints store it; b: (out) or absent. Gives (rows, out). */
  linear(x: Value, weight: Value, bias?: Value): Value {
    return this.op("Gemm", bias ? [x, weight, bias] : [x, weight], { transB: 1 });
  }

  /** A size of 0 keeps the size at that place, −1 takes what is left, a handle brings a size known only when it runs. */
  reshape(x: Value, sizes: readonly (number | Value)[]): Value {
    const fixed = sizes.filter((size) => typeof size === "number");
    if (fixed.length === sizes.length) return this.op("Reshape", [x, this.ints(fixed)]);
    const parts = sizes.map((size) => (typeof size === "number" ? this.ints([size]) : size));
    return this.op("Reshape", [x, this.concat(parts, 0)]);
  }

  /** Two equal halves along an axis. */
  halves(x: Value, axis: number): [Value, Value] {
    const [first, second] = this.#node("Split", [x], { axis, num_outputs: 2 }, 2);
    return [first, second];
  }

  /** [begin, end) along one axis; both are 1-element int64 tensors. */
  slice(x: Value, begin: Value, end: Value, axis: number): Value {
    return this.op("Slice", [x, begin, end, this.ints([axis])]);
  }

  /** Size of one axis, as a 1-element int64 tensor. */
  size(x: Value, axis: number): Value {
    return this.op("Shape", [x], { start: axis, end: axis + 1 });
  }

  /** A constant f32 scalar. */
  float(value: number): Value {
    return this.#constant("float32", [], new Uint8Array(Float32Array.of(value).buffer), `float_${value}`);
  }

  /** A constant vector of int64. */
  ints(values: readonly number[]): Value {
    const bytes = new Uint8Array(BigInt64Array.from(values, BigInt).buffer);
    return this.#constant("int64", [values.length], bytes, `ints_${values.join("_")}`);
  }

  /** The finished graph as the bytes of an `.onnx` file. */
  encode(): Uint8Array {
    return encodeModel({
      name: this.#name,
      nodes: this.#nodes,
      initializers: [...this.#constants.values()],
      inputs: this.#inputs,
      outputs: this.#outputs,
      opsets: [{ domain: "", version: OPSET }],
    });
  }

  #node(type: string, inputs: readonly Value[], attributes: Attributes, results: number): Value[] {
    const name = [...this.#scopes, `${type}_${this.#nodes.length}`].join("/");
    const outputs = Array.from({ length: results }, (_, i) => `${name}:${i}`);
    this.#nodes.push({
      type,
      name,
      inputs: inputs.map((value) => value.id),
      outputs,
      attributes,
      domain: "",
    });
    return outputs.map((id) => ({ id }));
  }

  /** The same constant is stored once. */
  #constant(type: ElementType, shape: readonly number[], bytes: Uint8Array, name: string): Value {
    if (!this.#constants.has(name)) this.#constants.set(name, { name, type, shape, bytes });
    return { id: name };
  }
}
