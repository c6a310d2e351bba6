import type { Figure, FigureTable } from "#shared/figures/index.ts";

/** How a row of a table stands out. */
export type RowMark = "best" | "front" | "failed";

/** A part of a report, before it is HTML or Markdown. All text is plain: whoever writes it out escapes it. */
export type Block =
  | { readonly kind: "heading"; readonly text: string }
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "list"; readonly items: readonly string[] }
  | { readonly kind: "facts"; readonly facts: readonly (readonly [name: string, value: string])[] }
  | {
      readonly kind: "table";
      readonly label: string;
      readonly table: FigureTable;
      readonly marks?: readonly (RowMark | null)[];
    }
  | { readonly kind: "figure"; readonly figure: Figure; readonly values: boolean }
  | {
      readonly kind: "code";
      readonly label: string;
      readonly text: string;
      /** Long and for few readers: closed until it is asked for, where a page can do that. */
      readonly folded?: boolean;
    };

/** One model, sweep or experiment. */
export interface Section {
  /** Stable within the report; figures' ids are told apart by it. */
  readonly id: string;
  /** What it is: `Sensitivity · Figure 6 of the paper`. */
  readonly label: string;
  /** The result in one sentence; null where a section has none. */
  readonly finding: string | null;
  readonly blocks: readonly Block[];
}

export interface Report {
  readonly title: string;
  /** When and by what it was made. */
  readonly subtitle: string;
  readonly sections: readonly Section[];
  /** What the report is made of, for programs: runs and experiments as they are kept. */
  readonly data: unknown;
}
