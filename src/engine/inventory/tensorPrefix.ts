import type { Note } from "#shared/notes.ts";
import type { Architecture } from "#engine/architecture/decoder/architecture.ts";
import { neededTensors } from "#engine/architecture/validateTensors.ts";

/** Names of the modules that training wraps around others; what they hold is what the wrapped one holds. */
const WRAPPERS = /(^|\.)(?:_orig_mod|_fsdp_wrapped_module|_checkpoint_wrapped_module)\./g;
/** In front of the layers of a language model that is one part of a larger one. */
const TEXT_PARTS = ["language_model.model.", "model.language_model.", "language_model."];

/** How a family names its tensors. */
export interface Naming {
  /** In front of everything but the head: `model.`. */
  readonly body: string;
  /** Modules directly below the body. */
  readonly modules: ReadonlySet<string>;
  /** A tensor of its first layer, below the body: where it is found, the body begins. */
  readonly anchor: string;
  readonly head: string;
}

/** Of families that are not known. */
const USUAL: Naming = {
  body: "model.",
  modules: new Set(["layers", "embed_tokens", "norm"]),
  anchor: "layers.0.input_layernorm.weight",
  head: "lm_head.weight",
};

/** The naming of an architecture. */
export function namingOf(architecture: Architecture): Naming {
  const { layersPath, head } = architecture.description;
  const body = layersPath.slice(0, layersPath.lastIndexOf(".") + 1);
  const below = neededTensors(architecture).flatMap(({ name }) =>
    name.startsWith(body) ? [name.slice(body.length)] : [],
  );
  const [first] = architecture.layerTensors(0);
  return {
    ...{ body, head: head.tensor, anchor: first.name.slice(body.length) },
    modules: new Set(below.map((name) => name.split(".")[0])),
  };
}

export interface RecognisedNames {
  /** Stored name → the name that the family has for it, for every tensor; two may share one. */
  readonly nameOf: ReadonlyMap<string, string>;
  /** What was left out or added, for people; null where the names are the family's own. */
  readonly note: Note | null;
}

/**
 * Recognises a decoder's tensors under other prefixes than its family's: none at all, a wrapper's (`_orig_mod.`, `module.`), PEFT's
 * (`base_model.model.`), a part's of a larger model (`language_model.`).
 */
export function recogniseNames(stored: Iterable<string>, naming: Naming = USUAL): RecognisedNames {
  const all = [...stored];
  const unwrapped = new Map(all.map((name) => [name, name.replace(WRAPPERS, "$1")]));
  const stem = stemOf([...unwrapped.values()], naming);
  const outer = stem?.endsWith(naming.body) === true ? stem.slice(0, -naming.body.length) : null;
  const nameOf = new Map(
    [...unwrapped].map(([name, plain]) => [
      name,
      stem === null ? plain : renamed(plain, stem, outer, naming),
    ]),
  );
  const moved = all.filter((name) => nameOf.get(name) !== name);
  return { nameOf, note: moved.length === 0 ? null : noteOf(moved[0], nameOf.get(moved[0]) ?? "", stem) };
}

/** What stands in front of the body's modules; null where it is the family's own prefix or nothing was recognised. */
function stemOf(names: readonly string[], { anchor, body }: Naming): string | null {
  const stems = new Set(
    names.flatMap((name) =>
      name === anchor || name.endsWith(`.${anchor}`) ? [name.slice(0, name.length - anchor.length)] : [],
    ),
  );
  if (stems.has(body)) return null;
  if (stems.size === 1) return [...stems][0];
  return TEXT_PARTS.find((part) => stems.has(part)) ?? null;
}

function renamed(name: string, stem: string, outer: string | null, naming: Naming): string {
  const { body, head } = naming;
  if (outer !== null && name === `${outer}${head}`) return head;
  if (name === head || (stem !== "" && !name.startsWith(stem))) return name;
  const rest = name.slice(stem.length);
  // where nothing stands in front, only a decoder's own modules are its body
  return stem !== "" || /^rotary_emb\./.test(rest) || naming.modules.has(rest.split(".")[0])
    ? `${body}${rest}`
    : name;
}

function noteOf(first: string, becomes: string, stem: string | null): Note {
  const reader =
    stem === ""
      ? "transformers adds the missing prefix as well."
      : "transformers would not find them under these names; an export has the family's own.";
  return {
    code: "tensors/other-names",
    text: `Tensors have other names than their family's: ${JSON.stringify(first)} is read as ${JSON.stringify(becomes)}, and so on. ${reader}`,
  };
}
