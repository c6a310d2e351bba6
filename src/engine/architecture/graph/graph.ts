import {
  ELEMENT_TYPES,
  encodeModel,
  type Attribute,
  type Dimension,
  type ElementType,
  type OnnxLocation,
  type OnnxNode,
  type OnnxTensor,
  type OnnxValue,
} from "./onnx.ts";

/** Versions of the operator sets that graphs draw on: ONNX's own, and onnxruntime's quantized ones where they are used. */
const OPSETS = { "": 21, "com.microsoft": 1 } as const;
export type Domain = keyof typeof OPSETS;

/** A tensor inside a graph: what an operator gave or what the graph is fed. Only the graph that made it may use it. */
export interface Value {
  readonly id: string;
}

type Attributes = Readonly<Record<string, Attribute>>;

/** A constant whose data is not in the graph: it goes into a file beside the model. */
export interface StoredTensor {
  readonly name: string;
  readonly type: ElementType;
  readonly shape: readonly number[];
  readonly bytes: number;
}

/**
 * Builds an ONNX graph by calling operators on handles, so that a layer reads like its equations.
 * Nodes are named after the scope they are made in (`attention/MatMul_3`), which is what a profile shows.
 */
export class Graph {
  readonly #name: string;
  readonly #nodes: OnnxNode[] = [];
  readonly #constants = new Map<string, OnnxTensor>();
  readonly #stored = new Map<string, StoredTensor>();
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

  /** Any operator of ONNX, or of another domain, with one result. */
  op(type: string, inputs: readonly Value[], attributes: Attributes = {}, domain: Domain = ""): Value {
    return this.#node(type, inputs, attributes, 1, domain)[0];
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

  cast(x: Value, type: ElementType): Value {
    return this.op("Cast", [x], { to: ELEMENT_TYPES[type].number });
  }

  /** Parts of the given sizes along an axis. */
  split(x: Value, sizes: readonly number[], axis: number): readonly Value[] {
    return this.#node("Split", [x, this.ints(sizes)], { axis }, sizes.length);
  }

  /** Two equal halves along an axis. */
  halves(x: Value, axis: number): [Value, Value] {
    const [first, second] = this.#node("Split", [x], { axis, num_outputs: 2 }, 2);
    return [first, second];
  }

  /**
   * The `count` (1-element int64) smallest values of every row in no order, or largest, descending, along the last axis.
   * Of values that are not numbers anything may come.
   */
  topK(x: Value, count: Value, which: "smallest" | "largest"): Value {
    const largest = which === "largest" ? 1 : 0;
    return this.#node("TopK", [x, count], { axis: -1, largest, sorted: largest }, 2)[0];
  }

  /** The `count` largest values of every row along the last axis, descending, and their places (int64). */
  largest(x: Value, count: number): [Value, Value] {
    const attributes = { axis: -1, largest: 1, sorted: 1 };
    const [values, places] = this.#node("TopK", [x, this.ints([count])], attributes, 2);
    return [values, places];
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

  /** A constant f64 scalar. */
  double(value: number): Value {
    return this.#constant("float64", [], new Uint8Array(Float64Array.of(value).buffer), `double_${value}`);
  }

  /** A constant uint8 scalar. */
  byte(value: number): Value {
    return this.#constant("uint8", [], Uint8Array.of(value), `byte_${value}`);
  }

  /** A constant int64 scalar. */
  int(value: number): Value {
    const bytes = new Uint8Array(BigInt64Array.of(BigInt(value)).buffer);
    return this.#constant("int64", [], bytes, `int_${value}`);
  }

  /** A constant vector of int64. */
  ints(values: readonly number[]): Value {
    const bytes = new Uint8Array(BigInt64Array.from(values, BigInt).buffer);
    return this.#constant("int64", [values.length], bytes, `ints_${values.join("_")}`);
  }

  /** A constant vector of f32, or of f64. */
  floats(name: string, values: Float32Array | Float64Array): Value {
    const type = values instanceof Float64Array ? "float64" : "float32";
    const bytes = new Uint8Array(values.slice().buffer);
    return this.#constant(type, [values.length], bytes, [...this.#scopes, name].join("/"));
  }

  /** A constant whose data will lie in a file beside the model. The same name is the same tensor. */
  store(name: string, type: ElementType, shape: readonly number[]): Value {
    const bytes = shape.reduce((product, size) => product * size, ELEMENT_TYPES[type].bytes);
    if (!this.#stored.has(name)) this.#stored.set(name, { name, type, shape, bytes });
    return { id: name };
  }

  /** Everything that {@link store} declared, in the order of first use. */
  get stored(): readonly StoredTensor[] {
    return [...this.#stored.values()];
  }

  /**
   * The finished graph as the bytes of an `.onnx` file.
   * @param place where each stored tensor lies
   */
  encode(place?: (tensor: StoredTensor) => OnnxLocation): Uint8Array {
    const stored = this.stored.map((tensor): OnnxTensor => {
      if (!place) throw new Error(`${tensor.name} is stored outside the graph, but nothing says where`);
      return { name: tensor.name, type: tensor.type, shape: tensor.shape, data: place(tensor) };
    });
    const domains = new Set(["", ...this.#nodes.map(({ domain }) => domain)] as Domain[]);
    return encodeModel({
      name: this.#name,
      nodes: this.#nodes,
      initializers: [...this.#constants.values(), ...stored],
      inputs: this.#inputs,
      outputs: this.#outputs,
      opsets: [...domains].map((domain) => ({ domain, version: OPSETS[domain] })),
    });
  }

  #node(
    type: string,
    inputs: readonly Value[],
    attributes: Attributes,
    results: number,
    domain: Domain = "",
  ): Value[] {
    const name = [...this.#scopes, `${type}_${this.#nodes.length}`].join("/");
    const outputs = Array.from({ length: results }, (_, i) => `${name}:${i}`);
    this.#nodes.push({
      type,
      name,
      inputs: inputs.map((value) => value.id),
      outputs,
      attributes,
      domain,
    });
    return outputs.map((id) => ({ id }));
  }

  /** The same constant is stored once. */
  #constant(type: ElementType, shape: readonly number[], bytes: Uint8Array, name: string): Value {
    if (!this.#constants.has(name)) this.#constants.set(name, { name, type, shape, data: bytes });
    return { id: name };
  }
}
