import { KeystoneError, toErrorData } from "#shared/errors.ts";
import type { Io } from "../output/io.ts";

export const EXIT_FAILURE = 1;
export const EXIT_USAGE = 2;

/** A mistake in how the command was written. */
export function usageError(message: string, next: string): KeystoneError {
  return new KeystoneError("usage/arguments", message, next);
}

/** Says what went wrong in one line on stderr and returns the exit code. KEYSTONE_DEBUG=1 adds the stack. */
export function reportError(thrown: unknown, io: Io): number {
  const data = toErrorData(thrown);
  io.stderr.write(`error: ${oneLine(`${data.message} ${data.next}`)}\n`);
  if (io.env["KEYSTONE_DEBUG"] === "1") {
    const stack = thrown instanceof Error ? (thrown.stack ?? "") : "";
    io.stderr.write(`${data.code} ${JSON.stringify(data.details)}\n${stack}\n`);
  }
  return KeystoneError.fromData(data).kind === "usage" ? EXIT_USAGE : EXIT_FAILURE;
}

/** Line breaks and control characters (they can come from file names) become spaces. */
export function oneLine(text: string): string {
  // eslint-disable-next-line no-control-regex -- control characters are what is looked for
  return text.replace(/[\u0000-\u001f\u007f\u2028\u2029]+/g, " ").trim();
}
