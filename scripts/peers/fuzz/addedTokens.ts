import type { Disturbance, Draft } from "./draft.ts";

interface AddedToken {
  readonly content: string;
  readonly special: boolean;
  readonly lstrip?: boolean;
  readonly rstrip?: boolean;
  readonly single_word?: boolean;
  readonly normalized?: boolean;
}

/** Added tokens, of which the scored passage holds some; where they stand, and how they take the blanks around them. */
export const ADDED_TOKENS: readonly Disturbance[] = [
  inTokenizer("an added token", [{ content: "mill", special: false }]),
  inTokenizer("an added token that is special", [{ content: "<|note|>", special: true }]),
  inTokenizer("an added token that takes the blank before it", [
    { content: "boats", special: false, lstrip: true },
  ]),
  inTokenizer("an added token that takes the blank behind it", [
    { content: "boats", special: false, rstrip: true },
  ]),
  inTokenizer("an added token of whole words alone", [{ content: "own", special: false, single_word: true }]),
  inTokenizer("two added tokens, one inside the other", [
    { content: "night", special: false },
    { content: "igh", special: false },
  ]),
  {
    name: "an added token in tokenizer_config.json alone",
    apply: (draft) => {
      const id = firstFree(draft, 1);
      if (id === null) return false;
      const added_tokens_decoder = { [id]: entry({ content: "mill", special: false }) };
      change(draft, "tokenizer_config.json", (config) => ({ ...config, added_tokens_decoder }));
      return true;
    },
  },
  {
    name: "an added token in added_tokens.json alone",
    apply: (draft) => {
      const id = firstFree(draft, 1);
      if (id === null) return false;
      draft.files.set("added_tokens.json", JSON.stringify({ mill: id }));
      return true;
    },
  },
];

function inTokenizer(name: string, tokens: readonly AddedToken[]): Disturbance {
  return {
    name,
    apply: (draft) => {
      const first = firstFree(draft, tokens.length);
      if (first === null) return false;
      const added = tokens.map((token, i) => ({ id: first + i, ...entry(token) }));
      change(draft, "tokenizer.json", (definition) => ({
        ...definition,
        added_tokens: [...(definition["added_tokens"] as unknown[]), ...added],
      }));
      return true;
    },
  };
}

/** As transformers writes it. */
function entry(token: AddedToken): object {
  return { lstrip: false, rstrip: false, single_word: false, normalized: false, ...token };
}

/** The first id without a token, where the embedding has rows for as many; null elsewhere. */
function firstFree({ files, meaning }: Draft, count: number): number | null {
  const { model, added_tokens } = JSON.parse(textOf(files.get("tokenizer.json"))) as {
    model: { vocab: Record<string, number> };
    added_tokens: { id: number }[];
  };
  const first = 1 + Math.max(...Object.values(model.vocab), ...added_tokens.map(({ id }) => id));
  const rows = meaning.tensors.get("model.embed_tokens.weight")?.shape[0] ?? 0;
  return first + count <= rows ? first : null;
}

function change(
  { files }: Draft,
  file: string,
  to: (content: Record<string, unknown>) => Record<string, unknown>,
): void {
  files.set(file, JSON.stringify(to(JSON.parse(textOf(files.get(file))) as Record<string, unknown>)));
}

function textOf(content: string | Uint8Array | undefined): string {
  return typeof content === "string" ? content : Buffer.from(content ?? []).toString("utf8");
}
