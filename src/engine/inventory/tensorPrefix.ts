/** Names of the modules that training wraps around others; what they hold is what the wrapped one holds. */
const WRAPPERS = /(^|\.)(?:_orig_mod|_fsdp_wrapped_module|_checkpoint_wrapped_module)\./g;
const BODY = "model.";
const HEAD = "lm_head.weight";
/** Where a decoder keeps its layers, whatever stands in front. */
const ANCHOR = /^(.*?)layers\.0\.input_layernorm\.weight$/;
/** In front of the layers of a language model that is one part of a larger one. */
const TEXT_PARTS = ["language_model.model.", "model.language_model.", "language_model."];

export interface RecognisedNames {
  /** Stored name → the name that the family has for it, for every tensor; two may share one. */
  readonly nameOf: ReadonlyMap<string, string>;
  /** What was left out or added, for people; null where the names are the family's own. */
  readonly note: string | null;
}

/**
 * Recognises a decoder's tensors under other prefixes than `model.`: none at all, a wrapper's (`_orig_mod.`, `module.`), PEFT's
 * (`base_model.model.`), a part's of a larger model (`language_model.`).
 */
export function recogniseNames(stored: Iterable<string>): RecognisedNames {
  const all = [...stored];
  const unwrapped = new Map(all.map((name) => [name, name.replace(WRAPPERS, "$1")]));
  const stem = stemOf([...unwrapped.values()]);
  const outer = stem?.endsWith(BODY) === true ? stem.slice(0, -BODY.length) : null;
  const nameOf = new Map(
    [...unwrapped].map(([name, plain]) => [name, stem === null ? plain : renamed(plain, stem, outer)]),
  );
  const moved = all.filter((name) => nameOf.get(name) !== name);
  return { nameOf, note: moved.length === 0 ? null : noteOf(moved[0], nameOf.get(moved[0]) ?? "", stem) };
}

/** What stands in front of `layers.`; null where it is the family's own prefix or nothing was recognised. */
function stemOf(names: readonly string[]): string | null {
  const stems = new Set(names.flatMap((name) => ANCHOR.exec(name)?.[1] ?? []));
  if (stems.has(BODY)) return null;
  if (stems.size === 1) return [...stems][0];
  return TEXT_PARTS.find((part) => stems.has(part)) ?? null;
}

function renamed(name: string, stem: string, outer: string | null): string {
  if (outer !== null && name === `${outer}${HEAD}`) return HEAD;
  if (name === HEAD || (stem !== "" && !name.startsWith(stem))) return name;
  const rest = name.slice(stem.length);
  return stem !== "" || isBody(rest) ? `${BODY}${rest}` : name;
}

/** Where nothing stands in front, only a decoder's own modules are its body. */
function isBody(name: string): boolean {
  return /^(?:layers|embed_tokens|norm|rotary_emb)\./.test(name);
}

function noteOf(first: string, becomes: string, stem: string | null): string {
  const reader =
    stem === ""
      ? "transformers adds the missing prefix as well."
      : "transformers would not find them under these names; an export has the family's own.";
  return `Tensors have other names than their family's: ${JSON.stringify(first)} is read as ${JSON.stringify(becomes)}, and so on. ${reader}`;
}
