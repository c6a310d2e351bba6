import { z } from "zod";
import type { SchemeName } from "../schemes/index.ts";

/**
 * What a module that holds a restored weight becomes in a format that has no place for a single exact weight:
 * left in the checkpoint's own type, or quantized to 8 bits.
 */
export const keptModule = z.enum(["unquantized", "8-bit"]);
export type KeptModule = z.infer<typeof keptModule>;

/** How an export is started: the program, and what a person types or pastes. */
export interface Launch {
  readonly runtime: string;
  readonly line: string;
}

/** A plan that the wizard proposes for a format; what is scored is what the format's own schemes hold. */
export interface FormatPreset {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  /** @param groups granularities that fit the model, the largest first */
  readonly plan: (groups: readonly string[]) => Readonly<Record<string, unknown>>;
}

/** How modules are packed. */
export interface PackedAs {
  readonly bits: number;
  readonly symmetric: boolean;
  readonly granularity: string;
}

/** Whether vLLM has kernels for modules packed so. */
export type VllmTakes = (kind: Pick<PackedAs, "bits" | "symmetric">) => boolean;

/** What of a recipe decides which programs take its files. */
export interface WrittenRecipe extends PackedAs {
  readonly overrides: readonly ({ readonly [field in keyof PackedAs]?: PackedAs[field] | undefined } & {
    readonly skip?: boolean | undefined;
  })[];
}

/** Everything that is known of an export format before a checkpoint is at hand. Its writer is in `engine/formats`. */
export interface ExportFormatDescriptor {
  readonly title: string;
  /** In one or two sentences: what it is for. */
  readonly summary: string;
  /** One line of the command line's help. */
  readonly help: string;
  /** `packed` files are as small as the recipe promises; `dequantized` ones as large as the source. */
  readonly size: "packed" | "dequantized";
  /** `exact`: each restored weight is stored as itself. `module`: its whole tensor stays at higher precision. */
  readonly restored: "exact" | "module";
  /** What such a module may become; empty where restored weights are exact. */
  readonly kept: readonly KeptModule[];
  /** What an embedding and a head may become that the recipe leaves alone; empty where they are always kept. */
  readonly keptEmbedding: readonly KeptModule[];
  /** Whether its weights can be cut into shards. */
  readonly sharded: boolean;
  /** The schemes that are this format's own, bit for bit. */
  readonly own: readonly SchemeName[];
  /** What is exact in the file and what is not, in one sentence. */
  readonly exact: string;
  /** The schemes and blocks that it holds, in words. */
  readonly schemes: string;
  readonly granularities: string;
  readonly loadsIn: readonly string[];
  /** What the Hub calls the library that loads it. */
  readonly library: string;
  /** The runtime whose memory is estimated. */
  readonly runtime: string;
  /** Whether that refuses a file with a tensor that the model does not use. */
  readonly usesEveryTensor: boolean;
  /** Fields of the config that it takes otherwise, whatever the files say. */
  readonly overrules: Readonly<Record<string, unknown>>;
  /** Whether modules rounded to a half type are a scheme among its own. */
  readonly holdsHalfTypes: boolean;
  /** Whether blocks of a GGUF source are copied where the recipe leaves a tensor alone. */
  readonly copiesGgufBlocks: boolean;
  /** Null where there is no scheme of its own to propose. */
  readonly preset: FormatPreset | null;
  /** @param files paths of the export's files */
  launch(folder: string, files: readonly string[], recipe: WrittenRecipe): Launch;
}
