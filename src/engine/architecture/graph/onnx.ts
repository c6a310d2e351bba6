import protobuf from "protobufjs";

/** The part of ONNX's message format that Keystone's graphs use. Field numbers: onnx.proto3 of the ONNX project, IR version 10. */
const SCHEMA = `
  syntax = "proto3";
  message Model { int64 ir_version = 1; string producer_name = 2; Graph graph = 7; repeated OperatorSet opset_import = 8; }
  message OperatorSet { string domain = 1; int64 version = 2; }
  message Graph { repeated Node node = 1; string name = 2; repeated Tensor initializer = 5; repeated ValueInfo input = 11; repeated ValueInfo output = 12; }
  message Node { repeated string input = 1; repeated string output = 2; string name = 3; string op_type = 4; repeated Attribute attribute = 5; string domain = 7; }
  message Attribute { string name = 1; float f = 2; int64 i = 3; bytes s = 4; repeated int64 ints = 8; int32 type = 20; }
  message Tensor { repeated int64 dims = 1; int32 data_type = 2; string name = 8; bytes raw_data = 9; repeated Entry external_data = 13; int32 data_location = 14; }
  message Entry { string key = 1; string value = 2; }
  message ValueInfo { string name = 1; Type type = 2; }
  message Type { TensorType tensor_type = 1; }
  message TensorType { int32 elem_type = 1; Shape shape = 2; }
  message Shape { repeated Dimension dim = 1; }
  message Dimension { oneof value { int64 dim_value = 1; string dim_param = 2; } }
`;

const IR_VERSION = 10;
/** Numbers of ONNX's element types, and bytes of one element. */
export const ELEMENT_TYPES = {
  float32: { number: 1, bytes: 4 },
  uint8: { number: 2, bytes: 1 },
  int32: { number: 6, bytes: 4 },
  int64: { number: 7, bytes: 8 },
  bool: { number: 9, bytes: 1 },
  float16: { number: 10, bytes: 2 },
  float64: { number: 11, bytes: 8 },
  bfloat16: { number: 16, bytes: 2 },
} as const;
/** TensorProto.DataLocation of data in a file beside the model. */
const EXTERNAL = 1;
const ATTRIBUTE_TYPES = { float: 1, int: 2, string: 3, ints: 7 } as const;

export type ElementType = keyof typeof ELEMENT_TYPES;
/** A number is a fixed size, a string names a size that is only known when the graph runs. */
export type Dimension = number | string;
/** ONNX tells 1 (int) from 1.0 (float), so floats are wrapped. */
export type Attribute = number | string | readonly number[] | { readonly float: number };

export interface OnnxNode {
  readonly type: string;
  readonly name: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, Attribute>>;
  /** Empty for ONNX's own operators. */
  readonly domain: string;
}
/** Bytes of a file beside the model: where a tensor's data lies that is too large for the model's own message. */
export interface OnnxLocation {
  readonly file: string;
  readonly offset: number;
  readonly length: number;
}
export interface OnnxTensor {
  readonly name: string;
  readonly type: ElementType;
  readonly shape: readonly number[];
  readonly data: Uint8Array | OnnxLocation;
}
export interface OnnxValue {
  readonly name: string;
  readonly type: ElementType;
  readonly shape: readonly Dimension[];
}
export interface OnnxGraph {
  readonly name: string;
  readonly nodes: readonly OnnxNode[];
  readonly initializers: readonly OnnxTensor[];
  readonly inputs: readonly OnnxValue[];
  readonly outputs: readonly OnnxValue[];
  readonly opsets: readonly { readonly domain: string; readonly version: number }[];
}

const modelType = protobuf.parse(SCHEMA, { keepCase: true }).root.lookupType("Model");

/** The bytes of an `.onnx` file that holds this graph. */
export function encodeModel(graph: OnnxGraph): Uint8Array {
  const message = modelType.create({
    ir_version: IR_VERSION,
    producer_name: "keystone",
    opset_import: graph.opsets,
    graph: {
      name: graph.name,
      node: graph.nodes.map(encodeNode),
      initializer: graph.initializers.map(encodeTensor),
      input: graph.inputs.map(encodeValue),
      output: graph.outputs.map(encodeValue),
    },
  });
  return modelType.encode(message).finish();
}

function encodeTensor({ name, type, shape, data }: OnnxTensor): object {
  const facts = { name, dims: shape, data_type: ELEMENT_TYPES[type].number };
  if (data instanceof Uint8Array) return { ...facts, raw_data: data };
  // numbers are written as text, so that places past 2 GB need nothing of the message format
  const place = { location: data.file, offset: String(data.offset), length: String(data.length) };
  return {
    ...facts,
    data_location: EXTERNAL,
    external_data: Object.entries(place).map(([key, value]) => ({ key, value })),
  };
}

function encodeNode(node: OnnxNode): object {
  return {
    name: node.name,
    op_type: node.type,
    domain: node.domain,
    input: node.inputs,
    output: node.outputs,
    attribute: Object.entries(node.attributes).map(([name, value]) => ({ name, ...encodeAttribute(value) })),
  };
}

function encodeAttribute(value: Attribute): object {
  if (typeof value === "number") return { type: ATTRIBUTE_TYPES.int, i: value };
  if (typeof value === "string") return { type: ATTRIBUTE_TYPES.string, s: new TextEncoder().encode(value) };
  if ("float" in value) return { type: ATTRIBUTE_TYPES.float, f: value.float };
  return { type: ATTRIBUTE_TYPES.ints, ints: value };
}

function encodeValue(value: OnnxValue): object {
  const dim = value.shape.map((size) =>
    typeof size === "number" ? { dim_value: size } : { dim_param: size },
  );
  return {
    name: value.name,
    type: { tensor_type: { elem_type: ELEMENT_TYPES[value.type].number, shape: { dim } } },
  };
}
