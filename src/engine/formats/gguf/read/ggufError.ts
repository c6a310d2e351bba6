import { KeystoneError } from "#shared/errors.ts";
import type { ByteSource } from "#engine/files/byteSource.ts";

/** A file that is not what it should be. `what` completes the sentence that begins with the file's name. */
export function ggufError(
  code: string,
  source: Pick<ByteSource, "name">,
  what: string,
  details: Record<string, string | number | null> = {},
): KeystoneError {
  return new KeystoneError(
    `gguf/${code}`,
    `${source.name} ${what}.`,
    "The file is damaged, or no GGUF file of a model: download it again.",
    { file: source.name, ...details },
  );
}
