import { z } from "zod";
import { byteOfToken, byteToken, byteTokens } from "./characters.ts";
import { MinHeap } from "./mergeHeap.ts";

// vocabularies have a hundred thousand entries: they are checked where they are taken in
const configSchema = z.object({
  vocab: z.custom<object>((value) => typeof value === "object" && value !== null && !Array.isArray(value)),
  merges: z.custom<unknown[]>(Array.isArray),
  unk_token: z.string().nullish(),
  continuing_subword_prefix: z.string().nullish(),
  end_of_word_suffix: z.string().nullish(),
  fuse_unk: z.boolean().nullish(),
  byte_fallback: z.boolean().nullish(),
});
type Config = z.output<typeof configSchema>;

/** Words up to this length, in UTF-16 units, are kept with their tokens; a longer word is cut first. */
const MAX_KEPT_LENGTH = 64;
const MAX_KEPT_WORDS = 1 << 16;
const CODE_POINTS = 0x11_0000;

/**
 * Byte-pair encoding as Hugging Face's Rust library does it: of the pairs that stand in a word the one of the earliest merge is
 * joined, the leftmost first, until none is left. A long word (a whole text, where nothing cuts it before) is cut where no
 * token could span the cut, so that the work grows with its length and not with its square.
 */
export class BytePairs {
  readonly tokens_to_ids: Map<string, number>;
  /** Text of every id. */
  readonly vocab: string[] = [];
  readonly #config: Config;
  readonly #unknown: number | null;
  /** Rank of the merge of two ids, by `left * size + right`. */
  readonly #ranks = new Map<number, number>();
  /** By rank: the id of the joined token. */
  readonly #joined: number[] = [];
  readonly #size: number;
  #mergesBytes = false;
  readonly #kept = new Map<string, readonly string[]>();
  #cuts: ((left: number, right: number) => boolean) | null = null;

  /** @throws Error, ZodError where a merge or the unknown token is not in the vocabulary */
  constructor(config: unknown) {
    this.#config = configSchema.parse(config);
    const { vocab, merges, unk_token: unknown } = this.#config;
    this.tokens_to_ids = idsOf(vocab);
    for (const [text, id] of this.tokens_to_ids) this.vocab[id] = text;
    this.#size = this.vocab.length;
    this.#unknown =
      unknown === null || unknown === undefined ? null : (this.tokens_to_ids.get(unknown) ?? null);
    const prefix = this.#config.continuing_subword_prefix?.length ?? 0;
    for (const [rank, merge] of merges.entries()) {
      const [left, right] = pairOf(merge);
      this.#ranks.set(this.#idOf(left) * this.#size + this.#idOf(right), rank);
      this.#joined.push(this.#idOf(left + right.slice(prefix)));
      this.#mergesBytes ||= byteOfToken(left) !== null || byteOfToken(right) !== null;
    }
  }

  /**
   * The tokens of words, one word after another.
   * @param whole words that are tokens are not cut (`ignore_merges`)
   */
  encode(words: readonly string[], whole = false): string[] {
    const tokens: string[] = [];
    for (const word of words) {
      if (whole && this.tokens_to_ids.has(word)) tokens.push(word);
      else if (word.length <= MAX_KEPT_LENGTH) tokens.push(...this.#tokensOf(word));
      else
        for (const piece of this.#piecesOf(word))
          for (const token of this.#tokensOf(piece)) tokens.push(token);
    }
    return tokens;
  }

  #idOf(token: string): number {
    const id = this.tokens_to_ids.get(token);
    if (id === undefined)
      throw new Error(`a merge names ${JSON.stringify(token)}, which is not in the vocabulary`);
    return id;
  }

  #tokensOf(word: string): readonly string[] {
    const kept = this.#kept.get(word);
    if (kept) return kept;
    const characters = Array.from(word);
    const tokens = this.#merge(this.#symbolsOf(characters)).map((id) => this.vocab[id]);
    if (word.length <= MAX_KEPT_LENGTH) {
      if (this.#kept.size >= MAX_KEPT_WORDS) this.#kept.clear();
      // joined anew: a slice of a long text would keep all of it in memory
      this.#kept.set(characters.join(""), tokens);
    }
    return tokens;
  }

  /** The ids that merging begins with. Without an unknown token, characters outside the vocabulary are left out. */
  #symbolsOf(characters: readonly string[]): number[] {
    const { fuse_unk: fuses, byte_fallback: inBytes } = this.#config;
    const symbols: number[] = [];
    let waiting = false;
    const flush = (): void => {
      if (waiting && this.#unknown !== null) symbols.push(this.#unknown);
      waiting = false;
    };
    characters.forEach((character, i) => {
      const text = this.#affixed(character, i === 0, i === characters.length - 1);
      const id = this.tokens_to_ids.get(text);
      const bytes = id === undefined && inBytes === true ? this.#bytesOf(text) : null;
      if (id !== undefined) {
        flush();
        symbols.push(id);
      } else if (bytes) symbols.push(...bytes);
      else {
        if (fuses !== true) flush();
        waiting = true;
      }
    });
    flush();
    return symbols;
  }

  #affixed(character: string, isFirst: boolean, isLast: boolean): string {
    const { continuing_subword_prefix: prefix, end_of_word_suffix: suffix } = this.#config;
    return (isFirst ? "" : (prefix ?? "")) + character + (isLast ? (suffix ?? "") : "");
  }

  /** Null where a byte of the text has no token. */
  #bytesOf(text: string): number[] | null {
    const ids = byteTokens(text).map((token) => this.tokens_to_ids.get(token));
    return ids.every((id) => id !== undefined) ? ids : null;
  }

  /** Joins pairs until no merge is left. Queued pairs are numbers, `rank * length + position`, of which those outdated are skipped. */
  #merge(symbols: number[]): number[] {
    const length = symbols.length;
    const next = Int32Array.from(symbols, (_, i) => i + 1);
    const before = Int32Array.from(symbols, (_, i) => i - 1);
    const queue = new MinHeap();
    const rankAt = (at: number): number | undefined =>
      at >= 0 && next[at] < length
        ? this.#ranks.get(symbols[at] * this.#size + symbols[next[at]])
        : undefined;
    const enqueue = (at: number): void => {
      const rank = rankAt(at);
      if (rank !== undefined) queue.push(rank * length + at);
    };
    for (let at = 0; at < length - 1; at++) enqueue(at);
    for (let top = queue.pop(); top !== undefined; top = queue.pop()) {
      const at = top % length;
      const rank = (top - at) / length;
      if (symbols[at] < 0 || rankAt(at) !== rank) continue;
      const right = next[at];
      symbols[at] = this.#joined[rank];
      symbols[right] = -1;
      next[at] = next[right];
      if (next[at] < length) before[next[at]] = at;
      enqueue(before[at]);
      enqueue(at);
    }
    return symbols.filter((id) => id >= 0);
  }

  *#piecesOf(word: string): Generator<string> {
    const cuts = (this.#cuts ??= this.#whereToCut());
    let start = 0;
    let left = word.codePointAt(0) ?? 0;
    for (let at = left > 0xffff ? 2 : 1; at < word.length;) {
      const right = word.codePointAt(at) ?? 0;
      if (cuts(left, right)) {
        yield word.slice(start, at);
        start = at;
      }
      left = right;
      at += right > 0xffff ? 2 : 1;
    }
    yield word.slice(start);
  }

  /**
   * Whether a word can be cut between two characters: where no joined token holds them side by side. Nowhere in a word
   * whose characters depend on their place, may be left out, or become bytes that are merged.
   */
  #whereToCut(): (left: number, right: number) => boolean {
    const {
      continuing_subword_prefix: prefix,
      end_of_word_suffix: suffix,
      byte_fallback: inBytes,
    } = this.#config;
    const allBytes =
      inBytes === true &&
      Array.from({ length: 256 }, (_, byte) => byteToken(byte)).every((token) =>
        this.tokens_to_ids.has(token),
      );
    if (prefix || suffix || this.#mergesBytes || !(allBytes || (this.#unknown !== null && inBytes !== true)))
      return () => false;
    const beside = new Set<number>();
    for (const id of this.#joined) {
      let left = -1;
      for (const character of this.vocab[id]) {
        const right = character.codePointAt(0) ?? 0;
        if (left >= 0) beside.add(left * CODE_POINTS + right);
        left = right;
      }
    }
    const isKnown = (codePoint: number): boolean => this.tokens_to_ids.has(String.fromCodePoint(codePoint));
    // unknown characters side by side become one unknown token
    return (left, right) =>
      !beside.has(left * CODE_POINTS + right) && (allBytes || isKnown(left) || isKnown(right));
  }
}

function idsOf(vocab: object): Map<string, number> {
  const ids = new Map<string, number>();
  for (const [text, id] of Object.entries(vocab) as [string, unknown][]) {
    if (!Number.isInteger(id) || (id as number) < 0)
      throw new Error(`the vocabulary gives ${JSON.stringify(text)} no id`);
    ids.set(text, id as number);
  }
  return ids;
}

/**
 * A merge is written as one text, or as a pair since tokens may hold blanks.
 * @throws Error where it is neither
 */
export function pairOf(merge: unknown): readonly [string, string] {
  if (Array.isArray(merge) && typeof merge[0] === "string" && typeof merge[1] === "string")
    return [merge[0], merge[1]];
  const at = typeof merge === "string" ? merge.indexOf(" ", 1) : -1;
  if (typeof merge !== "string" || at < 0)
    throw new Error(`${JSON.stringify(merge)} is no merge of two tokens`);
  return [merge.slice(0, at), merge.slice(at + 1)];
}
