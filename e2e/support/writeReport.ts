// Writes a report about a made-up run and one experiment of each kind to the file it is given; with `hostile`, everything that
// comes from a person or a file is as bad as it can be.
import { writeFile } from "node:fs/promises";
import { labReport } from "#shared/lab/index.ts";
import { runDetail } from "#shared/run.ts";
import { makeReport } from "#studio/report/makeReport.ts";
import { hostileCopy, isFreeText } from "../../test/support/hostile.ts";
import { madeUpSource } from "../../test/support/reportSource.ts";

const [, , file, kind] = process.argv;
if (file === undefined) throw new Error("Name the file to write.");
const source = madeUpSource();
const hostile = {
  ...source,
  runs: source.runs.map(({ fingerprint, detail }) => ({
    fingerprint,
    detail: runDetail.parse(hostileCopy(detail, isFreeText)),
  })),
  lab: source.lab.map((kept) => ({ ...kept, report: labReport.parse(hostileCopy(kept.report, isFreeText)) })),
};
const { content } = await makeReport(kind === "hostile" ? hostile : source, "html");
await writeFile(file, content);
