import type { LabReport, LabReportOf, LabRequest, LabRequestOf, ExperimentName } from "#shared/lab/index.ts";
import type { Coordinate } from "#shared/recipe.ts";
import type { Tokenizer } from "#engine/tokenizer/tokenizer.ts";
import type { Engine, Watch } from "#engine/evaluate/stream/engine.ts";

/** One experiment at work: the open model, what is asked, and who hears of it. */
export interface LabRun<R extends LabRequest = LabRequest> extends Engine, Watch {
  readonly tokenizer: Tokenizer;
  readonly request: R;
  /** Of the original, as detection found them. */
  readonly superWeights: readonly Coordinate[];
  /** Told with each new point: the report as far as it is known, `complete: false`. */
  readonly onReport?: ((report: LabReport) => void) | undefined;
}

/** @throws KeystoneError lab/…, and what scoring throws */
export type Experiment<E extends ExperimentName> = (run: LabRun<LabRequestOf<E>>) => Promise<LabReportOf<E>>;
