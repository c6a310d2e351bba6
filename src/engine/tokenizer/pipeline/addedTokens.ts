import type { AddedToken } from "./addedVocabulary.ts";
import { WHITE_SPACE, WORD } from "./characters.ts";
import type { Normalizer } from "./normalizers.ts";

/** A stretch of a text: an added token, or what lies between two; `first` = it begins where the whole text does. */
export interface Section {
  readonly text: string;
  readonly token: string | null;
  readonly first: boolean;
}

/**
 * Finds added tokens in texts as Hugging Face's Rust library does: those that are not `normalized` in the text as it is, the
 * others in what the normalizer makes of the rest; the longest of those that begin at one place.
 */
export class AddedTokens {
  readonly #raw: Trie;
  readonly #normalized: Trie;
  readonly #normalize: Normalizer;

  constructor(tokens: readonly AddedToken[], normalize: Normalizer) {
    const raw = tokens.filter(({ normalized }) => !normalized);
    this.#raw = new Trie(raw.map((token) => [token.content, token]));
    const rest = tokens.filter(({ normalized }) => normalized);
    this.#normalized = new Trie(rest.map((token) => [normalize(token.content), token]));
    this.#normalize = normalize;
  }

  /** The sections of a text in their order, normalized; none is empty. */
  split(text: string): Section[] {
    return cut(text, this.#raw).flatMap((section) => {
      if (section.token !== null) return [section];
      return cut(this.#normalize(section.text), this.#normalized).map((inner) => ({
        ...inner,
        first: inner.first && section.first,
      }));
    });
  }
}

const WORD_END = new RegExp(`[${WORD}]$`, "u");
const WORD_START = new RegExp(`^[${WORD}]`, "u");
const BLANK = new RegExp(`^[${WHITE_SPACE}]$`, "u");

function cut(text: string, trie: Trie): Section[] {
  const sections: Section[] = [];
  let end = 0;
  const upTo = (start: number): void => {
    if (start > end) sections.push({ text: text.slice(end, start), token: null, first: end === 0 });
  };
  for (const { start, token, length } of trie.matches(text)) {
    let [from, to] = [start, start + length];
    if (token.single_word && !standsAlone(text, from, to)) continue;
    if (token.lstrip) while (from > end && BLANK.test(text[from - 1])) from--;
    if (token.rstrip) while (to < text.length && BLANK.test(text[to])) to++;
    upTo(from);
    sections.push({ text: text.slice(from, to), token: token.content, first: from === 0 });
    end = to;
  }
  upTo(text.length);
  return sections;
}

/** No letter, mark or digit beside it. Two code units are looked at, since a character may be a pair of them. */
function standsAlone(text: string, from: number, to: number): boolean {
  return !WORD_END.test(text.slice(Math.max(0, from - 2), from)) && !WORD_START.test(text.slice(to, to + 2));
}

interface Node {
  readonly next: Map<number, Node>;
  token: AddedToken | null;
}

/** The texts of tokens, code unit by code unit. */
class Trie {
  readonly #root: Node = { next: new Map(), token: null };

  constructor(entries: readonly (readonly [string, AddedToken])[]) {
    for (const [text, token] of entries) if (text !== "") this.#add(text, token);
  }

  #add(text: string, token: AddedToken): void {
    let node = this.#root;
    for (let i = 0; i < text.length; i++) {
      const unit = text.charCodeAt(i);
      const next = node.next.get(unit) ?? { next: new Map<number, Node>(), token: null };
      node.next.set(unit, next);
      node = next;
    }
    node.token ??= token;
  }

  /** From left to right without overlap, the longest at each place. */
  *matches(text: string): Generator<{ start: number; token: AddedToken; length: number }> {
    for (let start = 0; start < text.length;) {
      const found = this.#longestAt(text, start);
      if (found) yield { start, ...found };
      start += found?.length ?? 1;
    }
  }

  #longestAt(text: string, start: number): { token: AddedToken; length: number } | null {
    let found: { token: AddedToken; length: number } | null = null;
    let node = this.#root.next.get(text.charCodeAt(start));
    for (let at = start + 1; node; at++) {
      if (node.token) found = { token: node.token, length: at - start };
      node = node.next.get(text.charCodeAt(at));
    }
    return found;
  }
}
