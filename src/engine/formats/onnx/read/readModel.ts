import { fieldsOf, malformed, numbersOf, textOf, WindowedSource, type Field } from "./messages.ts";
import type { ByteSource } from "#engine/files/byteSource.ts";

/** What a model holds of one tensor: where its data lies, not the data. */
export interface Initializer {
  readonly name: string;
  /** Number of ONNX's element type. */
  readonly type: number;
  readonly shape: readonly number[];
  /** Inside model.onnx itself: [begin, end). Outside: file, and a length where the model says one. Null: in a form that is not read. */
  readonly data:
    | { readonly begin: number; readonly end: number }
    | { readonly file: string; readonly offset: number; readonly length: number | null }
    | null;
}

/** One operator, as far as it says what a tensor is for. */
export interface OnnxNode {
  readonly type: string;
  readonly domain: string;
  readonly name: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Attributes that are one whole number. */
  readonly integers: ReadonlyMap<string, number>;
}

export interface OnnxModel {
  readonly nodes: readonly OnnxNode[];
  readonly initializers: ReadonlyMap<string, Initializer>;
}

/** A graph of 100 billion weights has some ten thousand operators and tensors; more only exhausts memory. */
const MAX_ENTRIES = 500_000;
const MAX_INPUTS = 4096;
const MAX_DIMENSIONS = 16;

/**
 * Reads a model's operators and the places of its tensors; data is stepped over. Field numbers: onnx.proto3 of the ONNX
 * project. Graphs inside operators are not looked at.
 * @throws KeystoneError onnx/malformed, checkpoint/read-failed
 */
export async function readOnnxModel(source: ByteSource): Promise<OnnxModel> {
  const file = new WindowedSource(source);
  const nodes: OnnxNode[] = [];
  const initializers = new Map<string, Initializer>();
  let graphs = 0;
  for await (const field of fieldsOf(file, 0, source.byteLength)) {
    if (field.number !== 7) continue;
    graphs++;
    for await (const part of fieldsOf(file, field.begin, field.end)) {
      if (part.number === 1) nodes.push(await readNode(file, part));
      if (part.number === 5) {
        const tensor = await readInitializer(file, part);
        if (initializers.has(tensor.name))
          throw malformed(file, part.begin, `is a second tensor ${JSON.stringify(tensor.name)}`);
        initializers.set(tensor.name, tensor);
      }
      if (nodes.length + initializers.size > MAX_ENTRIES)
        throw malformed(file, part.begin, `is one of more than ${MAX_ENTRIES} operators and tensors`);
    }
  }
  if (graphs !== 1) throw malformed(file, 0, `has ${graphs} graphs instead of one`);
  return { nodes, initializers };
}

async function readNode(file: WindowedSource, { begin, end }: Field): Promise<OnnxNode> {
  const [inputs, outputs]: [string[], string[]] = [[], []];
  const integers = new Map<string, number>();
  const texts = new Map<number, string>();
  for await (const field of fieldsOf(file, begin, end)) {
    if (field.number === 1) inputs.push(await textOf(file, field));
    else if (field.number === 2) outputs.push(await textOf(file, field));
    else if (field.number === 5) await readAttribute(file, field, integers);
    else if ([3, 4, 7].includes(field.number)) texts.set(field.number, await textOf(file, field));
    if (inputs.length + outputs.length > MAX_INPUTS)
      throw malformed(file, begin, `is an operator with more than ${MAX_INPUTS} inputs and outputs`);
  }
  const [name, type, domain] = [3, 4, 7].map((number) => texts.get(number) ?? "");
  return { type, domain, name, inputs, outputs, integers };
}

async function readAttribute(
  file: WindowedSource,
  { begin, end }: Field,
  integers: Map<string, number>,
): Promise<void> {
  let [name, value]: [string, number | null] = ["", null];
  for await (const field of fieldsOf(file, begin, end)) {
    if (field.number === 1) name = await textOf(file, field);
    if (field.number === 3) ({ value } = field);
  }
  if (value !== null) integers.set(name, value);
}

async function readInitializer(file: WindowedSource, { begin, end }: Field): Promise<Initializer> {
  let [name, type]: [string, number] = ["", 0];
  const shape: number[] = [];
  const outside = new Map<string, string>();
  let [isOutside, inside]: [boolean, Field | null] = [false, null];
  for await (const field of fieldsOf(file, begin, end)) {
    switch (field.number) {
      case 1:
        shape.push(...(await numbersOf(file, field, MAX_DIMENSIONS)));
        break;
      case 2:
        type = field.value ?? 0;
        break;
      case 8:
        name = await textOf(file, field);
        break;
      case 9:
        inside = field;
        break;
      case 13:
        await readEntry(file, field, outside);
        break;
      case 14:
        isOutside = field.value === 1;
        break;
    }
    if (shape.length > MAX_DIMENSIONS) throw malformed(file, begin, "is a tensor of too many dimensions");
  }
  const data = isOutside
    ? placeOutside(file, begin, outside)
    : inside && { begin: inside.begin, end: inside.end };
  return { name, type, shape, data };
}

async function readEntry(
  file: WindowedSource,
  { begin, end }: Field,
  entries: Map<string, string>,
): Promise<void> {
  const texts = new Map<number, string>();
  for await (const field of fieldsOf(file, begin, end))
    if (field.number <= 2) texts.set(field.number, await textOf(file, field));
  entries.set(texts.get(1) ?? "", texts.get(2) ?? "");
}

function placeOutside(
  file: WindowedSource,
  at: number,
  entries: ReadonlyMap<string, string>,
): Initializer["data"] {
  const number = (key: string): number | null => {
    const text = entries.get(key);
    if (text === undefined) return null;
    const value = Number(text);
    if (/^\d+$/.test(text) && Number.isSafeInteger(value)) return value;
    throw malformed(
      file,
      at,
      `is a tensor whose ${key} ${JSON.stringify(text.slice(0, 40))} is no number of bytes`,
    );
  };
  return { file: entries.get("location") ?? "", offset: number("offset") ?? 0, length: number("length") };
}
