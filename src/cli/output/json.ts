import { withCodesBeside } from "#shared/notes.ts";
import { withOldWords } from "#shared/oldWords.ts";
import type { TextOutput } from "./io.ts";

/** Writes the one JSON document of a command. Numbers that are not finite become null, and their object says so; recipes
 * are in the words of old too; notes are sentences, with their codes beside them. */
export function printJson(out: TextOutput, document: object): void {
  out.write(`${JSON.stringify(finiteJson(withCodesBeside(withOldWords(document))), null, 2)}\n`);
}

/** A copy in which every number that is not finite is null and the object that holds it has `notFinite: true`. */
export function finiteJson(value: unknown): unknown {
  if (Array.isArray(value))
    return value.map((inner: unknown) => (isNotFinite(inner) ? null : finiteJson(inner)));
  if (isNotFinite(value)) return null;
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).map(
    ([key, inner]: [string, unknown]) => [key, finiteJson(inner)] as const,
  );
  const copy: Record<string, unknown> = Object.fromEntries(entries);
  if (Object.values(value).some(holdsNotFinite)) copy["notFinite"] = true;
  return copy;
}

function holdsNotFinite(value: unknown): boolean {
  return isNotFinite(value) || (Array.isArray(value) && value.some(isNotFinite));
}

function isNotFinite(value: unknown): boolean {
  return typeof value === "number" && !Number.isFinite(value);
}
