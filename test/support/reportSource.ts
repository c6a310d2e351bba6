import { labRequest, type LabReport, type LabResult } from "#shared/lab/index.ts";
import type { ReportSource } from "#studio/report/source.ts";
import { LAB_REPORTS } from "./labReports.ts";
import { madeUpRun } from "./madeUp/run.ts";

/** A kept experiment as the store gives it. */
export function keptExperiment(report: LabReport, id = `lab-${report.experiment}`): LabResult {
  const { experiment, model, modelName, fingerprint, seconds, finding, text, calibration } = report;
  return {
    summary: {
      id,
      experiment,
      model,
      modelName,
      fingerprint,
      created: "2026-01-02T03:04:05.000Z",
      seconds,
      finding,
      cancelled: report.cancelled,
      failed: report.failed !== null,
    },
    request: labRequest.parse({ experiment, text, calibration, judge: { tokens: 2000, windows: "bos" } }),
    report,
  };
}

/** A report's source with one made-up run and one experiment of each kind. */
export function madeUpSource(reports: readonly LabReport[] = LAB_REPORTS): ReportSource {
  const run = madeUpRun();
  const [first] = LAB_REPORTS;
  if (!first) throw new Error("There are no made-up reports.");
  return {
    title: null,
    made: new Date("2026-01-31T10:20:30.000Z"),
    environment: {
      keystone: "0.1.0",
      node: "24.0.0",
      onnxruntime: "1.0.0",
      system: "Linux 6.1.0 (x64)",
      processor: "A processor",
      cores: 2,
      memoryBytes: 8 * 2 ** 30,
    },
    models: [
      {
        fingerprint: first.fingerprint,
        path: first.model,
        name: first.modelName,
        summary: null,
        absent: "The folder could not be opened when this report was made: /models/demo does not exist.",
        detection: null,
        superWeights: first.superWeights,
        isDemo: true,
      },
    ],
    runs: [{ fingerprint: first.fingerprint, detail: run }],
    lab: reports.map((report) => keptExperiment(report)),
  };
}
