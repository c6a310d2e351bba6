import type { z } from "zod";
import type { TaskReport } from "../evaluation.ts";
import type { Figure } from "../figures/figure.ts";
import type { Palette } from "../figures/palette.ts";
import type { FigureTable } from "../figures/table.ts";
import type { CompareChart } from "./compareChart.ts";
import type { LabOption } from "./options.ts";

/**
 * All that is said of an experiment outside the engine: its options, and how its results are told. The
 * command line's flags, the lab's form, live lines, the report's sections and comparisons are made from it.
 * @typeParam Q a request, @typeParam R a report
 */
export interface Experiment<Q, R> {
  readonly name: string;
  /** What it is asked with, and what it finds. */
  readonly request: z.ZodType<Q>;
  readonly report: z.ZodType<R>;
  /** As the screen, the command line and the report say it, with the paper's place. */
  readonly title: string;
  readonly paper: string;
  readonly question: string;
  /** What it does with several super weights at once. */
  readonly grain: string;
  /** What the paper [arXiv:2411.07191] saw, and where its way differs; what this model shows beside it is said by the report's notes. */
  readonly paperSays: readonly string[];
  readonly uses: {
    /** Whether its rows answer tasks too. */
    readonly tasks: boolean;
    /** Whether it scores the text in windows; otherwise it takes prompts from it. */
    readonly windows: boolean;
    /** Whether it chooses thresholds or scales on another text than the one that is judged. */
    readonly calibration: boolean;
  };
  /** What the person can do where no calibration text is named; null = it runs without. Only of one that uses such a text. */
  withoutCalibration?(asked: Partial<Q>): string | null;
  /** In the order of the form and of the help. */
  readonly options: readonly LabOption[];
  /** Its place on the lab's screen, and what its chart there is. */
  readonly card: {
    readonly place: number;
    /** A shorter report for the chart. */
    shortened?(report: R): R;
    /** Id of the chart; the first unless given. */
    figure?(report: R): string;
    /** A shorter name on the axis. */
    tick?(text: string): string;
  };
  /** The figures of its report, the most telling first; its table is the experiment's own. A report told on the way gives what it knows so far. */
  figures(report: R, palette: Palette): Figure[];
  /** What a report knows, a line a point, in the order it came: for a terminal where points arrive one by one. */
  livePoints(report: R): string[];
  /** What the original answered; which items were cut or left out is the same for all rows. */
  originalTasks(report: R): readonly TaskReport[];
  /** What every state of the model was scored on, in tokens; null where no text is scored, or nothing yet. */
  scoredTokens(report: R): number | null;
  /** The recipes that were judged, in their order. */
  recipes?(report: R, request: Q): { readonly name: string; readonly recipe: unknown }[];
  /** Tables beside those of the figures. */
  tables?(report: R): { readonly label: string; readonly table: FigureTable }[];
  /** Results of several models side by side. */
  readonly compare: {
    /** How the comparison's sentence begins; a value for each model follows. */
    readonly begins: string;
    value(report: R): string;
    charts(reports: readonly R[]): CompareChart[];
  };
}
