import { list } from "#shared/format.ts";
import { EXPERIMENTS } from "#shared/lab/index.ts";
import type { Compared } from "./compared.ts";

/** What a comparison shows, in one sentence with a number for each of the models. */
export function compareFinding(compared: readonly Compared[]): string {
  const experiment = compared[0]?.report.experiment;
  if (experiment === undefined) return "";
  const { compare } = EXPERIMENTS[experiment];
  return `${compare.begins} ${list(compared.map(({ name, report }) => `${compare.value(report)} in ${name}`))}`;
}
