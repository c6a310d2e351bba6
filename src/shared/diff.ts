import { z } from "zod";
import { finiteOrNull } from "./numbers.ts";

/** One side of a tensor: as what it is stored, and its shape. */
const side = z.object({ storedAs: z.string(), shape: z.array(z.number()) });

/** How a tensor of one checkpoint stands to that of the same name in the other. */
export const diffStatus = z.enum(["equal", "differs", "other-shape", "only-a", "only-b"]);
export type DiffStatus = z.infer<typeof diffStatus>;

export const tensorDiff = z.object({
  name: z.string(),
  layer: z.number().int().nullable(),
  status: diffStatus,
  a: side.nullable(),
  b: side.nullable(),
  weights: z.number(),
  /** Largest |a − b|; null where nothing was compared. */
  maxAbs: finiteOrNull,
  /** √(Σ(a − b)² / Σa²); null where nothing was compared, or A holds zeros alone. */
  relativeRms: finiteOrNull,
  /** 10·log10(Σa² / Σ(a − b)²) in dB; null where nothing was compared, or nothing differs. */
  sqnrDb: finiteOrNull,
  notFinite: z.literal(true).optional(),
});
export type TensorDiff = z.infer<typeof tensorDiff>;

const checkpoint = z.object({
  path: z.string(),
  name: z.string(),
  fingerprint: z.string(),
  parameters: z.number(),
  tensors: z.number().int(),
});

/** Two checkpoints, tensor by tensor; A is the reference. Sums in f64 over the values that the files stand for. */
export const diffReport = z.object({
  a: checkpoint,
  b: checkpoint,
  /** Those that differ first, largest relative error first; then those that only one has; then equal ones. */
  tensors: z.array(tensorDiff),
  counts: z.record(diffStatus, z.number().int()),
  /** Over all tensors that were compared. */
  pooled: z.object({ maxAbs: finiteOrNull, relativeRms: finiteOrNull, sqnrDb: finiteOrNull }),
  seconds: z.number(),
});
export type DiffReport = z.infer<typeof diffReport>;

/** What a diff comes to, in one sentence. */
export function diffSentence({ counts, tensors }: Pick<DiffReport, "counts" | "tensors">): string {
  const of = (status: DiffStatus): number => counts[status] ?? 0;
  if (of("equal") === tensors.length) return `All ${tensors.length} tensors are equal`;
  const parts = [
    of("differs") > 0 ? `${of("differs")} differ` : "",
    of("other-shape") > 0 ? `${of("other-shape")} have other shapes` : "",
    of("only-a") > 0 ? `${of("only-a")} only in A` : "",
    of("only-b") > 0 ? `${of("only-b")} only in B` : "",
    `${of("equal")} equal`,
  ].filter((part) => part !== "");
  return `Of ${tensors.length} tensors ${parts.join(", ")}`;
}

export const DIFF_WORDS: Readonly<Record<DiffStatus, string>> = {
  equal: "equal",
  differs: "differs",
  "other-shape": "other shape",
  "only-a": "only in A",
  "only-b": "only in B",
};
