import type { Convention } from "#shared/evaluation.ts";

/** A run of tokens the model sees at once, and which of its predictions count. */
export interface TokenWindow {
  /** Index of the document it comes from. */
  readonly document: number;
  /** Ids fed to the model. */
  readonly ids: Int32Array;
  /** labels[i] = the token that position i must predict, or −1 where the prediction does not count. */
  readonly labels: Int32Array;
  /** Leading ids that are not text (BOS or a prefix token). */
  readonly lead: number;
  /** Where the window branches: index of the id before each, −1 at the beginning. Absent where it is the one to its left. */
  readonly parents?: Int32Array;
}

/** A text cut into windows under one convention. */
export interface WindowSet {
  readonly windows: readonly TokenWindow[];
  /** Labels that count, over all windows. */
  readonly scored: number;
  /** Tokens of the texts that were begun, scored or not. */
  readonly textTokens: number;
  /** Words (runs between white space) and UTF-8 bytes of those texts. */
  readonly words: number;
  readonly bytes: number;
  /** The ids of each of those texts, whatever part of them windows hold: what two tokenizers are compared by. */
  readonly texts: readonly (readonly number[])[];
  /** What leads windows or texts; null = nothing does. */
  readonly prefix: number | null;
  readonly convention: Convention;
}
