import picomatch from "picomatch";
import { KeystoneError } from "#shared/errors.ts";

/**
 * A test of tensor names against a glob: `*` matches any run of characters, dots included.
 * @throws KeystoneError recipe/bad-pattern
 */
export function namePattern(glob: string): (name: string) => boolean {
  try {
    // Not path rules: a slash, a leading dot or the name "." means nothing special in a tensor's name.
    const matches = picomatch(glob, { dot: true, bash: true, strictSlashes: true });
    return (name) => matches(name);
  } catch (cause) {
    throw new KeystoneError(
      "recipe/bad-pattern",
      `The pattern "${glob.slice(0, 60)}" cannot be read as a glob.`,
      'Write a tensor name with * for any run of characters, e.g. "*.down_proj.weight".',
      { pattern: glob.slice(0, 60) },
      { cause },
    );
  }
}
