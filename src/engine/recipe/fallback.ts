import { SCHEMES, type SchemeName } from "#shared/schemes/index.ts";
import { parseGranularity, type Granularity } from "#shared/recipe.ts";
import { tensorsInWords, type Notes } from "./notes.ts";

/** How one tensor's numbers are stored. */
export interface Storing {
  readonly scheme: SchemeName;
  readonly bits: number;
  readonly granularity: Granularity;
}

/**
 * What rows get that a scheme's group does not divide, where its format has another scheme for them: that one, and F16 where its
 * group does not divide them either, as llama.cpp does. Other schemes are left as they are.
 */
export function storingOf(asked: Storing, columns: number): Storing {
  const { fallback } = SCHEMES[asked.scheme];
  if (fallback === undefined || divides(asked.granularity, columns)) return asked;
  const other = ownStoring(fallback);
  return divides(other.granularity, columns) ? other : ownStoring("f16");
}

/** How a scheme stores numbers that leaves no choice of bits and block. */
export function ownStoring(scheme: SchemeName): Storing {
  const { bits, granularities, rounds } = SCHEMES[scheme];
  return {
    scheme,
    bits: bits[0] ?? 0,
    granularity: rounds ? { kind: "tensor" } : parseGranularity(String(granularities)),
  };
}

function divides(granularity: Granularity, columns: number): boolean {
  return granularity.kind !== "group" || columns % granularity.size === 0;
}

/** Says which tensors got another scheme than was asked for. */
export function fallbackNotes(
  changed: readonly { readonly name: string; readonly asked: SchemeName; readonly scheme: SchemeName }[],
  notes: Notes,
): void {
  const alike = Map.groupBy(changed, ({ asked, scheme }) => `${asked} ${scheme}`);
  for (const some of alike.values()) {
    const [{ asked, scheme }] = some;
    const group = String(SCHEMES[asked].granularities).replace("group:", "");
    const names = tensorsInWords(some.map(({ name }) => name));
    notes.add(
      "scheme/fallback",
      `${names}: ${group} does not divide the rows, so ${some.length === 1 ? "it is" : "they are"} stored as ${scheme} and not as ${asked}, as llama.cpp does.`,
    );
  }
}
