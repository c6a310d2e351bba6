import { buildReport } from "./buildReport.ts";
import { plotlyBundle } from "./plotlyBundle.ts";
import type { ReportSource } from "./source.ts";
import { writeHtml } from "./writeHtml.ts";
import { writeMarkdown } from "./writeMarkdown.ts";

/** The report as one file, with a name to save it under. */
export async function makeReport(
  source: ReportSource,
  format: "html" | "markdown",
): Promise<{ name: string; content: string }> {
  const report = buildReport(source);
  const name = `keystone-${fileName(source)}`;
  if (format === "markdown") return { name: `${name}.md`, content: writeMarkdown(report) };
  return { name: `${name}.html`, content: writeHtml(report, await plotlyBundle()) };
}

/** The longest part of a file's name that comes from a model, in characters. */
const NAME_LENGTH = 60;

/** `demo-2026-01-31`: letters that every file system takes. */
function fileName({ models, made }: ReportSource): string {
  const model = (models[0]?.name ?? "report").replace(/[^A-Za-z0-9.-]+/g, "-").replace(/^[-.]+|[-.]+$/g, "");
  return `${model.slice(0, NAME_LENGTH) || "report"}-${made.toISOString().slice(0, 10)}`;
}
