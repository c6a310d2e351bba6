import { decoder } from "#engine/architecture/decoder/decoder.ts";
import {
  describeDecoder,
  familyFor,
  familyNameOf,
  SUPPORTED_FAMILIES,
} from "#engine/architecture/readArchitecture.ts";
import { UNSUPPORTED_TYPES } from "#engine/architecture/unsupportedTypes.ts";
import { neededTensors } from "#engine/architecture/validateTensors.ts";
import type { Checkpoint } from "#engine/checkpoint/checkpoint.ts";
import { layerOf } from "#engine/checkpoint/tensorRole.ts";
import { KeystoneError } from "#shared/errors.ts";
import type { UnknownFamily } from "#shared/model.ts";
import { unreadFields } from "./configFields.ts";
import { isNeverNeeded } from "./unusedTensors.ts";

type Config = Readonly<Record<string, unknown>>;

/**
 * What can be said of a checkpoint whose model type no family computes: what it is, what it is nearest to, and the family that its
 * config and tensors fit, as which it can be tried. Null where its family is known.
 */
export function unknownFamily({
  config,
  tensors,
}: Pick<Checkpoint, "config" | "tensors">): UnknownFamily | null {
  if (familyNameOf(config) !== null) return null;
  const found = modelTypeOf(config);
  const known = found === null ? undefined : UNSUPPORTED_TYPES[found];
  const fits = known
    ? null
    : (SUPPORTED_FAMILIES.find((family) => fitsFamily(config, tensors, family)) ?? null);
  const nearest = fits ?? known?.nearest ?? (known || found === null ? null : nearestName(found));
  const unread = fits === null ? [] : unreadFields(asFamily(config, fits));
  return {
    modelType: found,
    text: textOf({ found, what: known?.what ?? null, nearest, fits, unread }),
    nearest,
    tryAs: fits,
  };
}

/** A config as one of a known family; its other fields stay. */
export function asFamily(config: Config, family: string): Config {
  return { ...config, model_type: family, architectures: [familyFor({ model_type: family }).classes[0]] };
}

function modelTypeOf(config: Config): string | null {
  const { model_type: type, architectures: classes } = config;
  if (typeof type === "string") return type;
  return Array.isArray(classes) && typeof classes[0] === "string" ? classes[0] : null;
}

/** Whether a family's equations need exactly what the layers hold, in the sizes that the config implies. */
function fitsFamily(config: Config, tensors: Checkpoint["tensors"], family: string): boolean {
  try {
    const needed = new Map(
      neededTensors(decoder(describeDecoder(asFamily(config, family)))).map(({ name, shape }) => [
        name,
        shape.join(),
      ]),
    );
    const all = [...needed].every(([name, shape]) => tensors.get(name)?.shape.join() === shape);
    return (
      all &&
      [...tensors.keys()].every((name) => needed.has(name) || layerOf(name) === null || isNeverNeeded(name))
    );
  } catch (error) {
    if (error instanceof KeystoneError) return false;
    throw error;
  }
}

/** Of unknown names this many letters in common with a known one make it a relative. */
const RELATED_LETTERS = 3;

/** The known family whose name begins most like an unknown one; null where none does. */
function nearestName(found: string): string | null {
  const common = (name: string): number => {
    let letters = 0;
    while (letters < name.length && name[letters] === found[letters]) letters++;
    return letters;
  };
  const [nearest] = SUPPORTED_FAMILIES.toSorted((a, b) => common(b) - common(a));
  return common(nearest) < RELATED_LETTERS ? null : nearest;
}

interface Said {
  readonly found: string | null;
  readonly what: string | null;
  readonly nearest: string | null;
  readonly fits: string | null;
  readonly unread: readonly string[];
}

function textOf({ found, what, nearest, fits, unread }: Said): string {
  const named =
    found === null ? "config.json names no model type" : `config.json names the model type "${found}"`;
  return [
    `${named}, whose equations Keystone does not have.`,
    what === null ? "" : `It is ${what}.`,
    fits === null && nearest !== null
      ? `The nearest family that Keystone has is ${nearest}, whose equations differ.`
      : "",
    fits === null
      ? ""
      : `Its tensors are those of ${fits}, so it can be tried as one; whether the equations are the same, only a text shows.`,
    unread.length === 0
      ? ""
      : `${fits} does not read its ${unread.length === 1 ? "setting" : "settings"} ${unread.join(", ")}.`,
    "What works: the overview, statistics of every tensor, a scan of the weights for super weights, and exports that quantize tensor by tensor (safetensors, compressed-tensors).",
  ]
    .filter((sentence) => sentence !== "")
    .join(" ");
}
