import { parse } from "csv-parse/sync";

/** The fields of each record of a CSV file [RFC 4180], empty lines as one empty field. @throws Error with the reason */
export function csvRecords(bytes: Uint8Array): string[][] {
  return parse(Buffer.from(bytes), { bom: true, relax_column_count: true, record_delimiter: ["\r\n", "\n"] });
}
