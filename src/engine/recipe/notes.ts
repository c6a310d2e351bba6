import type { Note } from "#shared/notes.ts";

/** What of a recipe on a model the person should know. */
export type RecipeNote =
  | "recipe/nothing"
  | "ignore/no-match"
  | "override/no-match"
  | "override/no-effect"
  | "embedding/tied"
  | "restore/no-super-weight"
  | "restore/not-quantized"
  | "scheme/fallback"
  | "granularity/larger"
  | "granularity/remainder";

/** Sentences for the person, each once, in the order they came up. */
export class Notes {
  readonly #said = new Map<string, Note>();

  add(code: RecipeNote, text: string): void {
    this.#said.set(text, this.#said.get(text) ?? { code, text });
  }

  list(): readonly Note[] {
    return [...this.#said.values()];
  }
}

/** `"a"`, or `3 tensors (first "a")`: so that one note stands for many tensors. */
export function tensorsInWords(names: readonly string[]): string {
  const [first = ""] = names;
  return names.length === 1 ? `"${first}"` : `${names.length} tensors (first "${first}")`;
}
