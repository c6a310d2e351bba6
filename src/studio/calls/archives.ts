import { KeystoneError } from "#shared/errors.ts";
import { ARCHIVE_ENDING } from "#shared/runArchive.ts";
import { portableRun, portableSource } from "../report/portable.ts";
import { readArchive } from "../archive/readArchive.ts";
import { writeArchive } from "../archive/writeArchive.ts";
import type { Answers, StudioContext } from "../context/context.ts";
import { makeReport } from "../report/makeReport.ts";
import { gatherSource } from "../report/source.ts";

/** Runs as files that travel from one Keystone to another. */
export function archiveCalls(context: StudioContext): Answers<"run:export" | "run:import"> {
  const { runs, archives, events, options } = context;
  return {
    "run:export": async ({ run }) => {
      const row = runs.row(run);
      const report = await makeReport(
        portableSource(await gatherSource(context, { runs: [run], lab: [] })),
        "html",
      );
      const bytes = await writeArchive({
        detail: portableRun(runs.detail(run)),
        planHash: row.plan_hash,
        fingerprint: row.fingerprint,
        textHash: row.text_hash,
        calibrationHash: row.calibration_hash,
        details: runs.variantDetails(run),
        report: report.content,
        keystone: options.version ?? "0.0.0",
        exported: new Date(),
      });
      const name = report.name.replace(/\.html$/, `-${run.slice(0, ID_LENGTH)}.${ARCHIVE_ENDING}`);
      return { name, content: Buffer.from(bytes).toString("base64") };
    },
    "run:import": async ({ content, replace }) => {
      const archive = await readArchive(decoded(content));
      archives.keep(archive, replace);
      const run = runs.summary(archive.run.id);
      events.emit({ type: "run", run });
      return run;
    },
  };
}
/** Characters of a run's id in a file's name. */
const ID_LENGTH = 8;

function decoded(content: string): Uint8Array {
  const bytes = Buffer.from(content, "base64");
  if (bytes.length > 0) return bytes;
  throw new KeystoneError(
    "archive/not-an-archive",
    "The file is empty, or did not arrive.",
    "Choose a file that Keystone exported from a run.",
  );
}
