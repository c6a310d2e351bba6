/** Text to token ids and back, exactly as the checkpoint's own tokenizer does it. */
export interface Tokenizer {
  /** Ids of the text alone: no BOS, no EOS, no template. */
  encode(text: string): number[];
  /** Ids to text; special tokens are left out unless asked for. */
  decode(ids: readonly number[], options?: { special?: boolean }): string;
  /** One token as people read it (for tables and charts). */
  tokenText(id: number): string;
  /** BOS id where the tokenizer puts one in front of a text by itself, otherwise null. */
  readonly bos: number | null;
  readonly eos: number | null;
  /** What a prediction without a context begins with: the BOS that the files name, put in front by itself or not; else EOS. */
  readonly prefix: number | null;
  /** What the person should know about it, one sentence each; absent = nothing. */
  readonly notes?: readonly Note[];
}
import type { Note } from "#shared/notes.ts";
