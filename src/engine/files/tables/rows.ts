/** A row before it is understood: the value, or the reason why there is none. */
export type Row = { readonly line: number } & ({ readonly value: unknown } | { readonly reason: string });

/** An open file of rows. */
export interface RowFile {
  /** Names of the columns, where the file itself says them; null where every row says its own. */
  readonly columns: readonly string[] | null;
  /** All rows in order. @param columns the only ones that are read, where the file keeps them apart */
  rows(columns?: readonly string[]): AsyncGenerator<Row>;
  close(): Promise<void>;
}

/** The columns of one row: the keys of an object. */
export function columnsOf(value: unknown): string[] | null {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? Object.keys(value) : null;
}
