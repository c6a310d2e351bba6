import {
  type Decoder,
  type PostProcessor,
  Tokenizer as Library,
  Unigram,
  WordPiece,
} from "@huggingface/tokenizers";
import { z } from "zod";
import { AddedTokens } from "./addedTokens.ts";
import { readAddedTokens, type AddedToken } from "./addedVocabulary.ts";
import { BytePairs } from "./bytePairs.ts";
import { byteTokens } from "./characters.ts";
import { correctedDecoder } from "./decoders.ts";
import { createNormalizer } from "./normalizers.ts";
import { createPreTokenizer, type PreTokenizer } from "./preTokenizers.ts";

const modelSchema = z.looseObject({
  type: z.string().optional(),
  vocab: z.unknown(),
  ignore_merges: z.boolean().nullish(),
});

/** What cuts words into tokens. */
interface Model {
  /** @param whole words that are tokens are not cut */
  encode(words: string[], whole: boolean): string[];
  readonly tokens_to_ids: ReadonlyMap<string, number>;
  readonly vocab: readonly string[];
}

/**
 * A tokenizer.json at work, exactly as Hugging Face's Rust library runs it. `@huggingface/tokenizers`, the same in JavaScript, cuts
 * many texts beyond ASCII otherwise (digits of other scripts, U+FEFF, a final sigma), ignores settings (`split`, `behavior`,
 * `single_word`) and takes a time that grows with the square of a text. What differs is done here, one kind a function or class,
 * so that each can be offered there; its models Unigram and WordPiece, decoders and post-processors are used as they are.
 * This folder knows nothing of Keystone.
 */
export class Tokenizer {
  readonly added: readonly AddedToken[];
  readonly #sections: AddedTokens;
  readonly #words: PreTokenizer;
  readonly #model: Model;
  readonly #decoder: Decoder | null;
  readonly #postProcessor: PostProcessor | null;
  readonly #ids: ReadonlyMap<string, number>;
  readonly #texts: ReadonlyMap<number, string>;
  readonly #special: ReadonlySet<string>;

  readonly #whole: boolean;

  /**
   * @param alike a tokenizer with the same vocabulary and merges, whose tables are shared
   * @throws Error, ZodError, SyntaxError where the definition is incomplete or has a kind that is not known
   */
  constructor(definition: Readonly<Record<string, unknown>>, alike?: Tokenizer) {
    const model = modelSchema.parse(definition["model"]);
    this.#model = alike ? alike.#model : createModel(model);
    this.#whole = model.ignore_merges === true;
    const { tokens_to_ids: ids } = this.#model;
    const added = readAddedTokens(
      { idOf: (token) => ids.get(token), size: ids.size },
      definition["added_tokens"],
    );
    const normalize = createNormalizer(definition["normalizer"]);
    this.added = added;
    this.#sections = new AddedTokens(added, normalize);
    this.#words = createPreTokenizer(definition["pre_tokenizer"]);
    // the library builds what is taken from it as it is
    const rest = new Library(
      {
        decoder: null,
        post_processor: null,
        ...definition,
        added_tokens: added,
        normalizer: null,
        pre_tokenizer: null,
        model: { type: "BPE", vocab: {}, merges: [] },
      },
      {},
    );
    this.#decoder = rest.decoder && correctedDecoder(rest.decoder);
    this.#postProcessor = rest.post_processor;
    this.#ids = new Map(added.map(({ content, id }) => [content, id]));
    this.#texts = new Map(added.map(({ content, id }) => [id, content]));
    this.#special = new Set(added.filter(({ special }) => special).map(({ content }) => content));
  }

  /** Ids of a text alone. What the vocabulary cannot express and the model has no unknown token for is left out. */
  encode(text: string): number[] {
    return this.#idsOf(this.#tokensOf(text));
  }

  /** Ids of a text with what the tokenizer puts around it. */
  encodeWithSpecials(text: string): number[] {
    const tokens = this.#tokensOf(text);
    return this.#idsOf(this.#postProcessor ? this.#postProcessor(tokens, null, true).tokens : tokens);
  }

  /** Text of ids; those without a token are left out, special tokens where asked. */
  decode(ids: readonly number[], { skipSpecial }: { skipSpecial: boolean }): string {
    const tokens = ids
      .map((id) => this.tokenOf(id))
      .filter((token) => token !== undefined)
      .filter((token) => !skipSpecial || !this.#special.has(token));
    if (tokens.length === 0) return "";
    return this.#decoder ? this.#decoder(tokens) : tokens.join(" ");
  }

  idOf(token: string): number | undefined {
    return this.#ids.get(token) ?? this.#model.tokens_to_ids.get(token);
  }

  tokenOf(id: number): string | undefined {
    return this.#texts.get(id) ?? this.#model.vocab[id];
  }

  #idsOf(tokens: readonly string[]): number[] {
    return tokens.map((token) => this.idOf(token)).filter((id) => id !== undefined);
  }

  #tokensOf(text: string): string[] {
    const tokens: string[] = [];
    // half of a surrogate pair is no character; UTF-8 cannot store it
    for (const section of this.#sections.split(text.toWellFormed())) {
      if (section.token !== null) tokens.push(section.token);
      else
        for (const token of this.#model.encode(this.#words(section.text, section.first), this.#whole))
          tokens.push(token);
    }
    return tokens;
  }
}

/** @throws Error where the kind is not known; older files do not name it */
function createModel(config: z.output<typeof modelSchema>): Model {
  const type =
    config.type ?? (Array.isArray(config.vocab) ? "Unigram" : "merges" in config ? "BPE" : "WordPiece");
  switch (type) {
    case "BPE":
      return new BytePairs(config);
    case "WordPiece":
      return new WordPiece(wordPieceSchema.parse(config));
    case "Unigram":
      return unigram(unigramSchema.parse(config));
    default:
      throw new Error(`its model is ${JSON.stringify(type)}; known are BPE, WordPiece, Unigram`);
  }
}

const wordPieceSchema = z.looseObject({
  type: z.literal("WordPiece").default("WordPiece"),
  vocab: z.record(z.string(), z.number()),
  unk_token: z.string(),
  continuing_subword_prefix: z.string().default("##"),
  max_input_chars_per_word: z.number().default(100),
});

const unigramSchema = z.looseObject({
  type: z.literal("Unigram").default("Unigram"),
  vocab: z.array(z.tuple([z.string(), z.number()])),
  unk_id: z.number(),
  byte_fallback: z.boolean().optional(),
});

/** The library's own, with unknown stretches as the unknown token or, where the model says so, as bytes. */
function unigram(config: z.output<typeof unigramSchema>): Model {
  const library = new Unigram(config, "");
  const { tokens_to_ids, vocab } = library;
  const unknown = vocab[config.unk_id];
  const written = (token: string): string[] => {
    if (tokens_to_ids.has(token)) return [token];
    const bytes = config.byte_fallback === true ? byteTokens(token) : [];
    return bytes.length > 0 && bytes.every((byte) => tokens_to_ids.has(byte)) ? bytes : [unknown];
  };
  return {
    tokens_to_ids,
    vocab,
    encode: (words) => words.flatMap((word) => library([word]).flatMap(written)),
  };
}
