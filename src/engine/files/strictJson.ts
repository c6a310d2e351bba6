import { KeystoneError } from "#shared/errors.ts";

/**
 * JSON as a safetensors header may contain it: UTF-8, no key twice in one object, and every number a plain
 * unsigned integer that JavaScript holds exactly. JSON.parse alone would keep the last of two equal keys and
 * round 2^53 + 1 without a word.
 * @throws KeystoneError safetensors/not-utf8, not-json, duplicate-key, not-an-integer
 */
export function parseHeaderJson(bytes: Uint8Array, file: string): unknown {
  const text = decode(bytes, file);
  const value = parse(text, file);
  checkKeysAndNumbers(text, file);
  return value;
}

function decode(bytes: Uint8Array, file: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new KeystoneError(
      "safetensors/not-utf8",
      `The header of ${file} is not valid UTF-8.`,
      "The file is damaged: download it again.",
      { file },
    );
  }
}

function parse(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new KeystoneError(
      "safetensors/not-json",
      `The header of ${file} is not valid JSON.`,
      "The file is damaged, or it is not a safetensors file: download it again.",
      { file },
      { cause },
    );
  }
}

/** Walks the tokens of text that is known to be valid JSON. No regular expression: a header can be 100 MB long. */
function checkKeysAndNumbers(text: string, file: string): void {
  /** Keys of each open object; null for an open array. */
  const open: (Set<string> | null)[] = [];
  let keyNext = false;
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    const keys = open.at(-1) ?? null;
    if (character === "{") open.push(new Set());
    else if (character === "[") open.push(null);
    else if (character === "}" || character === "]") open.pop();

    if (character === "{" || (character === "," && keys !== null)) keyNext = true;
    else if (character === '"') {
      const end = stringEnd(text, at);
      if (keyNext && keys !== null) addKey(keys, text.slice(at, end), file);
      keyNext = false;
      at = end - 1;
    } else if (character === "-" || (character >= "0" && character <= "9")) {
      const end = numberEnd(text, at);
      checkInteger(text.slice(at, end), file);
      at = end - 1;
    }
  }
}

/** Index after the closing quote of the string that opens at `begin`. */
function stringEnd(text: string, begin: number): number {
  for (let at = begin + 1; ; at++) {
    if (text[at] === "\\") at++;
    else if (text[at] === '"') return at + 1;
  }
}

function numberEnd(text: string, begin: number): number {
  let at = begin + 1;
  while (at < text.length && "0123456789.eE+-".includes(text[at])) at++;
  return at;
}

function addKey(keys: Set<string>, token: string, file: string): void {
  const key = token.includes("\\") ? String(JSON.parse(token)) : token.slice(1, -1);
  if (keys.has(key)) {
    throw new KeystoneError(
      "safetensors/duplicate-key",
      `The header of ${file} names ${shown(key)} twice.`,
      "Readers disagree on which of the two counts: save the checkpoint again with a current safetensors library.",
      { file, key },
    );
  }
  keys.add(key);
}

function checkInteger(token: string, file: string): void {
  if (/^\d+$/.test(token) && Number(token) <= Number.MAX_SAFE_INTEGER) return;
  const number = token.slice(0, 40);
  throw new KeystoneError(
    "safetensors/not-an-integer",
    `The header of ${file} holds the number ${number}; shapes and offsets are whole numbers from 0 to 2^53 − 1.`,
    "The file is damaged: download it again.",
    { file, number },
  );
}

/** A name from a file as an error shows it: quoted, control characters escaped, cut to a readable length. */
export function shown(name: string): string {
  return JSON.stringify(name.length > 120 ? `${name.slice(0, 117)}…` : name);
}
