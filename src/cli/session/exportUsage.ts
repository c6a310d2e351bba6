import { KeystoneError, toErrorData } from "#shared/errors.ts";
import { exportFormat, exportFormatOf } from "#shared/exportFormats/index.ts";
import { list } from "#shared/format.ts";
import type { JudgeOptions } from "./options.ts";
import { usageError } from "./reportError.ts";

/** The options of an export that not every format has a use for. */
export interface FormatOptions extends JudgeOptions {
  readonly format: string;
  readonly verify?: boolean;
  readonly text?: string;
  readonly maxShard?: number;
  readonly kept?: string;
  readonly embedding?: string;
}

/** What only a verification reads, of what has no default. */
const JUDGING = ["text", "tokens", "context", "stride"] as const;

/** @throws KeystoneError usage/arguments where an option would have no effect */
export function requireUsed(options: FormatOptions): void {
  const { format, verify, maxShard, kept, embedding } = options;
  const judging = JUDGING.find((name) => options[name] !== undefined);
  if (judging !== undefined && !verify)
    throw usageError(
      `--${judging} was given without --verify, and export reads no text.`,
      `Add --verify or leave --${judging} out.`,
    );
  const sharded = exportFormat.options.filter((each) => exportFormatOf(each).sharded);
  if (maxShard !== undefined && !sharded.some((each) => each === format))
    throw usageError(
      `--max-shard was given, but ${format} is not cut into shards.`,
      `Leave --max-shard out; ${list(sharded)} take it.`,
    );
  const takers = exportFormat.options.filter((each) => exportFormatOf(each).kept.some((how) => how === kept));
  if (kept !== undefined && !takers.some((each) => each === format))
    throw usageError(
      `--kept ${kept} was given, but ${format} keeps no module ${kept === "8-bit" ? "at 8 bits" : "unquantized for a restored weight"}.`,
      `Leave --kept out; ${list(takers)} take it.`,
    );
  requireEmbedding(format, embedding);
}

/** @throws KeystoneError usage/arguments where a format has no choice for embedding and head */
function requireEmbedding(format: string, embedding: string | undefined): void {
  if (embedding === undefined) return;
  const takers = exportFormat.options.filter((each) => exportFormatOf(each).keptEmbedding.length > 0);
  if (takers.some((each) => each === format)) return;
  throw usageError(
    `--embedding was given, but ${format} leaves embedding and head as they are.`,
    `Leave --embedding out; ${list(takers)} takes it.`,
  );
}

/** An error in the words of the command line. */
export function inOptions(thrown: unknown): unknown {
  const data = toErrorData(thrown);
  if (data.code !== "export/exists") return thrown;
  const next = "Choose another folder, or add --overwrite.";
  return new KeystoneError(data.code, data.message, next, data.details, { cause: thrown });
}
