import type { LabReport } from "#shared/lab/index.ts";

/** One of up to four results in a comparison. */
export interface Compared {
  /** 0 to 3: colour, shape and dash. */
  place: number;
  letter: string;
  name: string;
  report: LabReport;
}
