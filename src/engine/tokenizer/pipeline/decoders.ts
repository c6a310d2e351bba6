import {
  ByteFallbackDecoder,
  ByteLevelDecoder,
  type Decoder,
  MetaspaceDecoder,
  SequenceDecoder,
} from "@huggingface/tokenizers";
import { byteOfToken, bytesOfCharacters } from "./characters.ts";

const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });
const strictUtf8 = new TextDecoder("utf-8", { ignoreBOM: true, fatal: true });
const encoder = new TextEncoder();
const REPLACEMENT = "\ufffd";

/** Bytes of several tokens are one text; a token with a character that stands for no byte is its own text. */
class ByteLevel extends ByteLevelDecoder {
  override decode_chain(tokens: string[]): string[] {
    const bytes = tokens.flatMap((token) => bytesOfCharacters(token) ?? [...encoder.encode(token)]);
    return [utf8.decode(Uint8Array.from(bytes))];
  }
}

/** A run of byte tokens is a text, or where it is no UTF-8 a replacement character for each byte. */
class ByteFallback extends ByteFallbackDecoder {
  override decode_chain(tokens: string[]): string[] {
    const texts: string[] = [];
    let run: number[] = [];
    const flush = (): void => {
      if (run.length > 0) texts.push(bytesAsText(run));
      run = [];
    };
    for (const token of tokens) {
      const byte = byteOfToken(token);
      if (byte !== null) run.push(byte);
      else {
        flush();
        texts.push(token);
      }
    }
    flush();
    return texts;
  }
}

function bytesAsText(bytes: readonly number[]): string {
  try {
    return strictUtf8.decode(Uint8Array.from(bytes));
  } catch {
    return REPLACEMENT.repeat(bytes.length);
  }
}

/** Drops every mark of the first token, where the tokenizer puts one in front. */
class Metaspace extends MetaspaceDecoder {
  override decode_chain(tokens: string[]): string[] {
    const drops = !("prepend_scheme" in this.config && this.config.prepend_scheme === "never");
    return tokens.map((token, i) => token.replaceAll(this.replacement, i === 0 && drops ? "" : " "));
  }
}

/** The library's decoder with those kinds in it replaced that differ from the Rust library's. */
export function correctedDecoder(decoder: Decoder): Decoder {
  if (decoder instanceof SequenceDecoder) {
    decoder.decoders = decoder.decoders.map((each) => each && correctedDecoder(each));
    return decoder;
  }
  if (decoder instanceof ByteLevelDecoder) return new ByteLevel({ ...decoder.config, type: "ByteLevel" });
  if (decoder instanceof ByteFallbackDecoder) return new ByteFallback({ type: "ByteFallback" });
  if (decoder instanceof MetaspaceDecoder) return new Metaspace({ ...decoder.config, type: "Metaspace" });
  return decoder;
}
