import type { Session } from "./session.ts";
import { usageError } from "./reportError.ts";

/** Fewer characters than this name nothing: a slip of the hand would meet a run. */
const SHORTEST = 4;

/**
 * The id that a person means: written whole, or its first characters where no other begins so. What begins no id is given back as
 * it is, and refused by whoever looks it up.
 * @throws KeystoneError usage/arguments where several begin so
 */
export function wholeId(text: string, ids: readonly string[]): string {
  if (ids.includes(text) || text.length < SHORTEST) return text;
  const found = ids.filter((id) => id.startsWith(text.toLowerCase()));
  if (found.length > 1)
    throw usageError(
      `${found.length} ids begin with ${text}: ${found.slice(0, 3).join(", ")}${found.length > 3 ? ", …" : ""}.`,
      "Write more of it.",
    );
  return found[0] ?? text;
}

/** {@link wholeId} among the runs of the store. */
export async function wholeRunId(session: Session, text: string): Promise<string> {
  return wholeId(
    text,
    (await session.studio.call("run:list", {})).map(({ id }) => id),
  );
}

/** {@link wholeId} among the kept experiments. */
export async function wholeLabId(session: Session, text: string): Promise<string> {
  return wholeId(
    text,
    (await session.studio.call("lab:list", {})).map(({ id }) => id),
  );
}
