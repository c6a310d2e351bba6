import { storedAs, type TensorSpec } from "../../../test/support/safetensorsBytes.ts";

export type Storage = "F32" | "F16" | "BF16";

/** A tensor as it is written, and the numbers that its bytes stand for. */
export interface DraftTensor extends TensorSpec {
  readonly values: Float32Array;
}

/** What a checkpoint computes, told without any file's spelling: what NumPy is given. */
export interface Meaning {
  readonly family: "llama" | "mistral" | "qwen2" | "phi3";
  readonly layers: number;
  readonly heads: number;
  readonly keyValueHeads: number;
  readonly headSize: number;
  readonly epsilon: number;
  readonly theta: number;
  readonly scaling: Readonly<Record<string, number | string>> | null;
  readonly window: number | null;
  readonly activation: string;
  /** By transformers' names; a bias counts where it stands, the head is the embedding where there is none. */
  readonly tensors: Map<string, DraftTensor>;
}

/** A checkpoint in the making: what it means, and how its files say it. */
export interface Draft {
  readonly meaning: Meaning;
  /** Whether the files describe no model any more: whoever opens them must refuse. */
  broken: boolean;
  /** config.json. */
  config: Record<string, unknown>;
  /** Done to config.json's text when it is written. */
  readonly textChanges: ((text: string) => string)[];
  /** By the names in the files. */
  tensors: Map<string, DraftTensor>;
  readonly storage: Storage;
  /** Weight files and the tensors in them; filled in by the layout. */
  weightFiles: Map<string, string[]>;
  /** All other files, by path. */
  files: Map<string, string | Uint8Array>;
  /** Files that are links to another place, as the Hugging Face cache's are. */
  linked: boolean;
}

/** One way to disturb a draft. */
export interface Disturbance {
  /** As the table calls it. */
  readonly name: string;
  /** False where it does not apply, and nothing was changed. */
  readonly apply: (draft: Draft, random: RandomLike) => boolean;
}

/** What disturbances use of Random. */
export interface RandomLike {
  below(count: number): number;
  pick<T>(choices: readonly T[]): T;
  chance(probability: number): boolean;
  normals(count: number, deviation: number, mean?: number): Float32Array;
}

export function tensorOf(storage: Storage, shape: readonly number[], values: Float32Array): DraftTensor {
  return { ...storedAs(storage, shape, values), values: rounded(storage, values) };
}

/** Names of a draft's matrices and vectors that belong to its layers. */
export function layerNames({ tensors }: Draft): string[] {
  return [...tensors.keys()].filter((name) => name.startsWith("model.layers."));
}

function rounded(storage: Storage, values: Float32Array): Float32Array {
  if (storage === "F32") return values;
  if (storage === "F16") return Float32Array.from(new Float16Array(values));
  const words = new Uint32Array(values.slice().buffer);
  const kept = Uint32Array.from(words, (word) => (word + 0x7fff + ((word >>> 16) & 1)) & 0xffff0000);
  return new Float32Array(kept.buffer);
}
