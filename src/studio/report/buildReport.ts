import { list, plural } from "#shared/format.ts";
import { paletteOf } from "#shared/figures/index.ts";
import type { Report } from "./document.ts";
import { labSection } from "./labSection.ts";
import { environmentSection, modelSection } from "./modelSection.ts";
import { runSection } from "./runSection.ts";
import type { ReportSource } from "./source.ts";

/** A colour by its token's name: the page resolves it for the theme it is seen in. */
const NAMED = paletteOf((name) => `token(${name})`);

/** The whole report, before it is HTML or Markdown: results first, then what was judged and on what. */
export function buildReport(source: ReportSource): Report {
  const { models, runs, lab, environment, made } = source;
  const devices = [...runs.map(({ detail }) => detail.device), ...lab.map(({ report }) => report.device)];
  return {
    title: source.title ?? `${list(models.map(({ name }) => name))}: ${contents(source)}`,
    subtitle: `Keystone ${environment.keystone} · ${made.toISOString().slice(0, 16).replace("T", " ")} UTC`,
    sections: [
      ...runs.map(({ detail }, i) => runSection(detail, i, NAMED)),
      ...lab.map((result, i) => labSection(result, i, NAMED)),
      ...models.map((model, i) => modelSection(model, i, NAMED)),
      environmentSection(environment, [...new Set(devices.filter((device) => device !== ""))]),
    ],
    data: { runs: runs.map(({ detail }) => detail), lab },
  };
}

function contents({ runs, lab }: ReportSource): string {
  const parts = [
    ...(runs.length > 0 ? [plural(runs.length, "sweep")] : []),
    ...(lab.length > 0 ? [plural(lab.length, "experiment")] : []),
  ];
  return list(parts);
}
