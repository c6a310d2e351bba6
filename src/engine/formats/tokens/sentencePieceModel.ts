import { readFile, stat } from "node:fs/promises";
import { KeystoneError } from "#shared/errors.ts";
import { messageFields } from "#engine/files/protobuf.ts";
import { spmMerges } from "../gguf/read/spmMerges.ts";
import type { Special } from "#engine/tokenizer/surrounded.ts";
import { TOKEN_TYPE } from "../gguf/layout/tokenTypes.ts";

const MAX_MODEL_BYTES = 100_000_000;
const [UNIGRAM, BPE] = [1, 2];

interface Piece {
  readonly piece: string;
  readonly score: number;
  readonly type: number;
}

/** What of a SentencePiece model decides its tokens; the defaults are those of sentencepiece_model.proto. */
interface SentencePieceModel {
  readonly pieces: readonly Piece[];
  readonly kind: number;
  readonly byteFallback: boolean;
  readonly whitespaceAsSuffix: boolean;
  readonly charsmap: Uint8Array;
  readonly dummyPrefix: boolean;
  readonly removeExtraWhitespaces: boolean;
  readonly escapeWhitespaces: boolean;
}

/** Its pieces, and what it puts around a text where nothing else says so. */
export interface SentencePieceTokenizer {
  readonly definition: Readonly<Record<string, unknown>>;
  /** The control pieces that begin and end a text; null where it has none. */
  readonly begin: Special | null;
  readonly end: Special | null;
  /** Whether it is one of byte pairs, as Llama's, whose texts begin with BOS. */
  readonly isBpe: boolean;
}

/**
 * A `tokenizer.model` of SentencePiece (BPE or unigram) as a tokenizer.json would define it.
 * @throws KeystoneError tokenizer/bad-file, tokenizer/unsupported
 */
export async function readSentencePiece(path: string): Promise<SentencePieceTokenizer> {
  const { size } = await stat(path);
  if (size > MAX_MODEL_BYTES)
    throw badFile(path, `it has ${size} bytes, and models have up to ${MAX_MODEL_BYTES}`);
  const model = parse(path, new Uint8Array(await readFile(path)));
  if (model.kind !== UNIGRAM && model.kind !== BPE)
    throw unsupported(`its model is of kind ${model.kind}, and unigram (1) and BPE (2) are read`);
  if (model.whitespaceAsSuffix)
    throw unsupported("it marks blanks behind words (treat_whitespace_as_suffix)");
  const control = (...names: string[]): Special | null => {
    const id = model.pieces.findIndex(
      ({ piece, type }) => type === TOKEN_TYPE.control && names.includes(piece),
    );
    return id < 0 ? null : { id, text: model.pieces[id].piece };
  };
  return {
    definition: definitionOf(model),
    begin: control("<s>", "<bos>"),
    end: control("</s>", "<eos>"),
    isBpe: model.kind === BPE,
  };
}

function definitionOf(model: SentencePieceModel): Record<string, unknown> {
  const { pieces, dummyPrefix } = model;
  return {
    version: "1.0",
    normalizer: { type: "Sequence", normalizers: normalizers(model) },
    pre_tokenizer: prefixesFirst(model)
      ? { type: "Metaspace", replacement: "▁", prepend_scheme: "first", split: false }
      : null,
    model: model.kind === BPE ? bytePairs(model) : unigram(model),
    decoder: {
      type: "Sequence",
      decoders: [
        { type: "Replace", pattern: { String: "▁" }, content: " " },
        { type: "ByteFallback" },
        { type: "Fuse" },
        ...(dummyPrefix ? [{ type: "Strip", content: " ", start: 1, stop: 0 }] : []),
      ],
    },
    post_processor: null,
    added_tokens: pieces.flatMap(({ piece, type }, id) => {
      const special = type === TOKEN_TYPE.control || type === TOKEN_TYPE.unknown;
      if (!special && type !== TOKEN_TYPE.userDefined) return [];
      return [
        {
          id,
          content: piece,
          special,
          single_word: false,
          lstrip: false,
          rstrip: false,
          normalized: !special,
        },
      ];
    }),
  };
}

/**
 * Whether the blank in front is put before the first section of a text, and not before one that begins with a blank: symbols of the
 * user's own, which are looked for in the rewritten text, would else be rewritten with a blank in front as well.
 */
function prefixesFirst({ pieces, dummyPrefix }: SentencePieceModel): boolean {
  return dummyPrefix && pieces.some(({ type }) => type === TOKEN_TYPE.userDefined);
}

/** Its table of replacements, then blanks: as many as it keeps, one in front of the text, written as ▁. */
function normalizers(model: SentencePieceModel): object[] {
  const { charsmap } = model;
  const replace = (pattern: object, content: string): object => ({ type: "Replace", pattern, content });
  return [
    ...(charsmap.length > 0
      ? [{ type: "Precompiled", precompiled_charsmap: Buffer.from(charsmap).toString("base64") }]
      : []),
    ...(model.removeExtraWhitespaces
      ? [replace({ Regex: String.raw`\A +| +\z` }, ""), replace({ Regex: " {2,}" }, " ")]
      : []),
    ...(model.dummyPrefix && !prefixesFirst(model)
      ? [{ type: "Prepend", prepend: model.escapeWhitespaces ? "▁" : " " }]
      : []),
    ...(model.escapeWhitespaces ? [replace({ String: " " }, "▁")] : []),
  ];
}

function bytePairs({ pieces, byteFallback }: SentencePieceModel): object {
  const tokens = pieces.map(({ piece }) => piece);
  const types = pieces.map(({ type }) => type);
  const unknown = pieces.find(({ type }) => type === TOKEN_TYPE.unknown);
  return {
    type: "BPE",
    vocab: Object.fromEntries(
      new Map(tokens.map((token, id) => [token, id]).toReversed() as [string, number][]),
    ),
    merges: spmMerges(
      tokens,
      pieces.map(({ score }) => score),
      types,
    ),
    byte_fallback: byteFallback,
    fuse_unk: true,
    unk_token: unknown?.piece ?? null,
  };
}

/** Pieces that texts do not become get the lowest score: a lower one would make unknown characters dearer still. */
function unigram({ pieces, byteFallback }: SentencePieceModel): object {
  const isText = ({ type }: Piece): boolean => type === TOKEN_TYPE.normal || type === TOKEN_TYPE.userDefined;
  const lowest = pieces.reduce((least, it) => (isText(it) ? Math.min(least, it.score) : least), 0);
  return {
    type: "Unigram",
    vocab: pieces.map((it) => [it.piece, isText(it) ? it.score : lowest]),
    unk_id: pieces.findIndex(({ type }) => type === TOKEN_TYPE.unknown),
    byte_fallback: byteFallback,
  };
}

/** Fields by their numbers in sentencepiece_model.proto. */
function parse(path: string, bytes: Uint8Array): SentencePieceModel {
  try {
    const pieces: Piece[] = [];
    const trainer = new Map<number, number>();
    const normalizer = new Map<number, number>();
    let charsmap = new Uint8Array();
    for (const { number, bytes: inner } of messageFields(bytes)) {
      if (number === 1) pieces.push(pieceOf(inner));
      if (number === 2) for (const field of messageFields(inner)) trainer.set(field.number, field.value);
      if (number !== 3) continue;
      for (const field of messageFields(inner)) {
        normalizer.set(field.number, field.value);
        if (field.number === 2) charsmap = Uint8Array.from(field.bytes);
      }
    }
    if (pieces.length === 0) throw new RangeError("it holds no piece");
    const flag = (fields: ReadonlyMap<number, number>, number: number, standard: boolean): boolean =>
      (fields.get(number) ?? Number(standard)) !== 0;
    return {
      ...{ pieces, charsmap, kind: trainer.get(3) ?? UNIGRAM },
      byteFallback: flag(trainer, 35, false),
      whitespaceAsSuffix: flag(trainer, 24, false),
      dummyPrefix: flag(normalizer, 3, true),
      removeExtraWhitespaces: flag(normalizer, 4, true),
      escapeWhitespaces: flag(normalizer, 5, true),
    };
  } catch (cause) {
    if (cause instanceof KeystoneError) throw cause;
    throw badFile(path, cause instanceof Error ? cause.message : String(cause), cause);
  }
}

function pieceOf(bytes: Uint8Array): Piece {
  const found = { piece: "", score: 0, type: TOKEN_TYPE.normal as number };
  for (const field of messageFields(bytes)) {
    if (field.number === 1)
      found.piece = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(field.bytes);
    if (field.number === 2 && field.bytes.length === 4) found.score = Buffer.from(field.bytes).readFloatLE(0);
    if (field.number === 3) found.type = field.value;
  }
  return found;
}

function badFile(path: string, reason: string, cause?: unknown): KeystoneError {
  return new KeystoneError(
    "tokenizer/bad-file",
    `${path} is not a model of SentencePiece: ${reason}.`,
    "Download it again.",
    { path, reason },
    { cause },
  );
}

function unsupported(reason: string): KeystoneError {
  return new KeystoneError(
    "tokenizer/unsupported",
    `tokenizer.model cannot be used: ${reason}.`,
    "Write a tokenizer.json with transformers: AutoTokenizer.from_pretrained(folder).save_pretrained(folder).",
    { reason },
  );
}
