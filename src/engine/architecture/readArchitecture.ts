import { z } from "zod";
import { unexplainedPacking } from "#engine/checkpoint/packing/packedNames.ts";
import { KeystoneError } from "#shared/errors.ts";
import type { Inventory } from "#shared/inventory.ts";
import type { TensorInfo } from "#shared/model.ts";
import type { Decoder } from "./description/description.ts";
import type { Family } from "./description/family.ts";
import { decoder } from "./decoder/decoder.ts";
import { FAMILIES } from "./families/families.ts";
import type { Architecture } from "./decoder/architecture.ts";
import { refuseUnclaimed } from "./unclaimed.ts";
import { neededTensors, validateTensors } from "./validateTensors.ts";

/** `model_type` of every family, for help texts and errors. */
export const SUPPORTED_FAMILIES: readonly string[] = FAMILIES.map((family) => family.modelType);

const identity = z.looseObject({
  model_type: z.string().nullish(),
  architectures: z.array(z.string()).nullish(),
});

/**
 * The equations of a checkpoint, from its config.json and the shapes of its tensors.
 * @throws KeystoneError architecture/unknown, architecture/bad-config, architecture/quantized, architecture/unknown-rope,
 *   architecture/missing-tensor, architecture/shape-mismatch
 */
export function readArchitecture(
  config: unknown,
  tensors: ReadonlyMap<string, Pick<TensorInfo, "shape">>,
): Architecture {
  const architecture = decoder(describeDecoder(config));
  requirePlain(tensors);
  validateTensors(architecture, tensors);
  return architecture;
}

/** Packed weights that the config explains were unpacked when the checkpoint was opened. */
function requirePlain(tensors: ReadonlyMap<string, Pick<TensorInfo, "shape">>): void {
  const found = unexplainedPacking(tensors);
  if (!found) return;
  throw new KeystoneError(
    "architecture/quantized",
    `This checkpoint's weights are ${found.packed} (${found.tensor}), and no file of it says how.`,
    found.next,
    { tensor: found.tensor },
  );
}

/**
 * The settings of a config.json's family, every default filled in: what formats write down beside the weights.
 * @throws KeystoneError architecture/unknown, architecture/bad-config, architecture/quantized, architecture/unknown-rope
 */
export function describeDecoder(config: unknown): Decoder {
  return familyOf(config).read(config);
}

/** Names of all tensors that a config's family computes with; none where the config is of no family or does not describe a model. */
export function familyNames(config: unknown): ReadonlySet<string> {
  try {
    return new Set(neededTensors(decoder(describeDecoder(config))).map(({ name }) => name));
  } catch (error) {
    if (error instanceof KeystoneError) return new Set();
    throw error;
  }
}

/** The fields of config.json that its family reads. @throws KeystoneError architecture/unknown */
export function fieldsOf(config: unknown): ReadonlySet<string> {
  return new Set(["model_type", ...familyOf(config).fields]);
}

/**
 * {@link readArchitecture} of an open checkpoint.
 * @throws KeystoneError as it does, and architecture/unclaimed-tensor where the file holds tensors that bear on the model's numbers
 *   and have no place in its equations
 */
export function architectureOf(checkpoint: {
  readonly config: unknown;
  readonly tensors: ReadonlyMap<string, Pick<TensorInfo, "shape">>;
  readonly inventory?: Inventory;
  readonly shards?: readonly { readonly file: string }[];
}): Architecture {
  try {
    const architecture = readArchitecture(checkpoint.config, checkpoint.tensors);
    refuseUnclaimed(checkpoint.inventory ?? [], architecture.facts.family);
    return architecture;
  } catch (error) {
    const [first] = checkpoint.shards ?? [];
    if (!(error instanceof KeystoneError) || !first?.file.endsWith(".gguf")) throw error;
    // such a model has no config.json: its config is made of the file's metadata
    const told = (text: string): string => text.replaceAll("config.json", `the metadata of ${first.file}`);
    throw new KeystoneError(
      error.code,
      sentence(told(error.message)),
      sentence(told(error.next)),
      error.details,
    );
  }
}

function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** The family that a config names. @throws KeystoneError architecture/unknown */
export function familyFor(config: unknown): Family {
  return familyOf(config);
}

/** Paths of modules that a config's family stores as (in, out); none where no family is known. */
export function transposedPaths(config: unknown): readonly string[] {
  return findFamily(config).family?.transposed ?? [];
}

/** `model_type` of the family that a config names, by its classes where it has no `model_type`; null where none is known. */
export function familyNameOf(config: unknown): string | null {
  return findFamily(config).family?.modelType ?? null;
}

function findFamily(config: unknown): { family: Family | undefined; found: string | null } {
  const parsed = identity.safeParse(config);
  const modelType = parsed.data?.model_type ?? null;
  const classes = parsed.data?.architectures ?? [];
  const family = FAMILIES.find((it) =>
    modelType === null ? it.classes.some((name) => classes.includes(name)) : it.modelType === modelType,
  );
  return { family, found: modelType ?? classes[0] ?? null };
}

function familyOf(config: unknown): Family {
  const { family, found } = findFamily(config);
  if (family) return family;
  throw new KeystoneError(
    "architecture/unknown",
    `config.json names ${found === null ? "no architecture" : `the architecture "${found}"`}, which Keystone cannot run; it runs ${SUPPORTED_FAMILIES.join(", ")}.`,
    "The overview says what still works with it; to run it, choose a checkpoint of a supported architecture.",
    { found, supported: SUPPORTED_FAMILIES.join(", ") },
  );
}
