import { expect, it } from "vitest";
import type { AblateReport } from "#shared/evaluation.ts";
import { labReportOf } from "../support/labReports.ts";
import { taskOf } from "../support/madeUp/facts.ts";
import { DEMO } from "./demo.ts";
import { fakeStudio, jobView } from "./fakeStudio.ts";
import { runMain } from "./runMain.ts";

it("ablate tells how many task items were cut or left out, and why", async () => {
  const { model, text, convention, superWeights, device, seconds, rows } = labReportOf("importance");
  const reason = "has the right choice 7, but its 2 choices are 0 to 1";
  const task = { ...taskOf("gold", 0.9), truncated: 2, skipped: [{ file: "gold.jsonl", line: 4, reason }] };
  const report: AblateReport = {
    ...{ model, text, convention, superWeights, device, seconds },
    rows: rows.map((row) => ({ ...row, tasks: [task] })),
  };
  const { stdout } = await runMain(["ablate", DEMO.model, "--text", DEMO.text, "--tasks", DEMO.tasksChoice], {
    dependencies: fakeStudio({
      "job:ablate": (_args, emit) => {
        setTimeout(() => emit({ type: "job", job: jobView({ kind: "ablate" }) }));
        return { job: "job-1" };
      },
      "job:list": () => [],
      "job:result": () => ({ kind: "ablate", report }),
    }),
  });
  expect(stdout).toMatch(/^gold +own +90\.0% +3\.0% +– +– +– +200 +2 +1$/m);
  expect(stdout).toContain("gold: 2 items had more context than fits; it was cut on the left.");
  expect(stdout).toContain(`gold: skipped 1 item, which ${reason} (gold.jsonl 4).`);
});
