import { KeystoneError } from "#shared/errors.ts";

/** Types of metadata values, by the number that stands in a file. */
export const VALUE_TYPES = [
  "u8",
  "i8",
  "u16",
  "i16",
  "u32",
  "i32",
  "f32",
  "bool",
  "string",
  "array",
  "u64",
  "i64",
  "f64",
] as const;
export type ValueType = (typeof VALUE_TYPES)[number];
export type ScalarType = Exclude<ValueType, "array">;

/** A 64-bit integer past 2^53 is kept as it is. */
export type Scalar = number | bigint | boolean | string;

/** A value, an array of values, or arrays within arrays, which nothing here reads. */
export type MetadataValue = Scalar | readonly MetadataValue[];

/** One value, or an array of values of one type. */
export interface MetadataEntry {
  /** Of the values themselves. */
  readonly type: ScalarType;
  readonly value: MetadataValue;
}

/** What a file says about itself, by key, in the file's order. */
export type Metadata = ReadonlyMap<string, MetadataEntry>;

/** Reads single values out of metadata; `file` names the file in errors. */
export class MetadataReader {
  readonly metadata: Metadata;
  /** Keys that were read so far. */
  readonly asked: ReadonlySet<string>;
  private readonly file: string;
  private readonly noted = new Set<string>();

  constructor(metadata: Metadata, file: string) {
    this.metadata = metadata;
    this.file = file;
    this.asked = this.noted;
  }

  /** @throws KeystoneError gguf/bad-metadata where the value is there and is not a finite number */
  number(key: string): number | null {
    const value = this.ask(key);
    if (value === undefined) return null;
    if (typeof value === "number" && Number.isFinite(value)) return value;
    throw this.wrongKind(key, "a number");
  }

  /** A number that may be given once or per layer; the layers' values must be equal. */
  commonNumber(key: string): number | null {
    const value = this.ask(key);
    if (!Array.isArray(value)) return this.number(key);
    const numbers = value as readonly MetadataValue[];
    const [first] = numbers;
    if (typeof first === "number" && numbers.every((each) => each === first)) return first;
    throw this.wrongKind(key, "the same number for every layer");
  }

  /** @throws KeystoneError gguf/bad-metadata */
  string(key: string): string | null {
    const value = this.ask(key);
    if (value === undefined) return null;
    if (typeof value === "string") return value;
    throw this.wrongKind(key, "text");
  }

  /** @throws KeystoneError gguf/bad-metadata */
  boolean(key: string): boolean | null {
    const value = this.ask(key);
    if (value === undefined) return null;
    if (typeof value === "boolean") return value;
    throw this.wrongKind(key, "true or false");
  }

  /** @throws KeystoneError gguf/bad-metadata */
  booleans(key: string): readonly boolean[] | null {
    const value = this.ask(key);
    if (value === undefined) return null;
    if (Array.isArray(value) && value.every((each) => typeof each === "boolean")) return value;
    throw this.wrongKind(key, "a list of true and false");
  }

  /** @throws KeystoneError gguf/bad-metadata */
  strings(key: string): readonly string[] | null {
    const value = this.ask(key);
    if (value === undefined) return null;
    if (Array.isArray(value) && value.every((each) => typeof each === "string")) return value;
    throw this.wrongKind(key, "a list of texts");
  }

  /** @throws KeystoneError gguf/bad-metadata */
  numbers(key: string): readonly number[] | null {
    const value = this.ask(key);
    if (value === undefined) return null;
    if (Array.isArray(value) && value.every((each) => typeof each === "number")) return value;
    throw this.wrongKind(key, "a list of numbers");
  }

  private ask(key: string): MetadataValue | undefined {
    this.noted.add(key);
    return this.metadata.get(key)?.value;
  }

  private wrongKind(key: string, wanted: string): KeystoneError {
    return new KeystoneError(
      "gguf/bad-metadata",
      `${this.file}: the metadata "${key}" is not ${wanted}.`,
      "The file is damaged or was written by a tool that uses the key for something else: download or convert it again.",
      { file: this.file, key },
    );
  }
}
