import { openCheckpoint } from "#engine/formats/openCheckpoint.ts";
import { isDerived } from "#engine/checkpoint/tensorRole.ts";
import type { Checkpoint } from "#engine/checkpoint/checkpoint.ts";
import { KeystoneError } from "#shared/errors.ts";
import type { TensorInfo } from "#shared/model.ts";
import { samePerplexity, type Verified } from "#shared/verification.ts";
import { ByteProgress } from "#engine/formats/write/byteProgress.ts";
import { judgedWeights, sourceBytes } from "#engine/formats/write/exportedTensor.ts";
import type {
  EvaluatedExport,
  EvaluateExport,
  ExportControl,
  ExportVariant,
} from "#engine/formats/write/exportedVariant.ts";
import { WeightMemory } from "#engine/formats/write/weightMemory.ts";

export interface VerifyInput {
  /** The checkpoint that was exported. */
  readonly source: Checkpoint;
  readonly variant: ExportVariant;
  /** Tensors that the format has a place for; absent = all. */
  readonly carried?: ReadonlySet<string> | undefined;
  /** Folder of the export. */
  readonly out: string;
  /** Scores the reopened export on the text that the variant was judged on. */
  readonly evaluate: EvaluateExport;
  readonly control: ExportControl;
}

/** What reading an export back says of it; what its runtime says of it comes on top. */
export type VerifiedWeights = Omit<Verified, "runtime">;

/** The smallest positive number of f32. */
const SMALLEST_F32 = 2 ** -149;

/**
 * Reopens an export and holds every tensor, bit by bit, against what was judged, recomputed from source and recipe; then lets the
 * caller score it, and holds the number against the judged one. The written files are read afresh, so a disk that lost bits is
 * found out; and equal weights with another number are a file that says something else of the model.
 * @throws KeystoneError export/differs where a tensor is missing, is another one, or has one weight that differs;
 *   export/other-score where the numbers differ by more than rounding
 */
export async function verifyExport({
  source,
  variant,
  carried,
  out,
  evaluate,
  control,
}: VerifyInput): Promise<VerifiedWeights> {
  const reopened = await openCheckpoint(out);
  try {
    const expected = [...source.tensors.values()].filter(({ name }) => carried?.has(name) ?? true);
    requireSameTensors(expected, reopened);
    const total = expected.reduce((sum, { bytes }) => sum + bytes, 0);
    const progress = new ByteProgress(control, total, "verifying");
    const memory = new WeightMemory();
    let worst = { tensor: "", difference: 0 };
    for (const { name, bytes } of expected) {
      if (!reopened.tensors.has(name)) continue;
      await progress.begin(`verifying ${name}`);
      const difference = await tensorDifference(source, reopened, variant, name, memory);
      if (!(difference <= worst.difference)) worst = { tensor: name, difference };
      await progress.advance(bytes);
    }
    if (worst.difference > 0)
      throw differsError(
        out,
        worst.tensor,
        `differs by up to ${worst.difference} from what was judged`,
        worst.difference,
      );
    const evaluated = await evaluate(reopened);
    requireJudgedScore(out, evaluated);
    return { ...evaluated, maxAbsDiff: worst.difference };
  } finally {
    await reopened.close();
  }
}

function requireJudgedScore(
  out: string,
  { perplexity, judgedPerplexity }: Pick<EvaluatedExport, "perplexity" | "judgedPerplexity">,
): void {
  if (samePerplexity(perplexity, judgedPerplexity)) return;
  const text = (value: number | null): string => (value === null ? "no number" : value.toPrecision(8));
  throw new KeystoneError(
    "export/other-score",
    `Opened again, the export in ${out} scores ${text(perplexity)}, and the variant was judged ${text(judgedPerplexity)} on the same tokens. Its weights are the judged ones, so it describes another model: other layers, biases, head or settings.`,
    "The export is not kept. The export's notes name what its runtime computes otherwise in long texts, where there is such a thing: a smaller context then gives equal numbers. Anything else please report, with the model's config.json and the names of its tensors.",
    { out, perplexity, judged: judgedPerplexity },
  );
}

/** The same tensors of the same shapes, but for what every program computes by itself; how a format stores them is its own affair. */
function requireSameTensors(expected: readonly TensorInfo[], reopened: Checkpoint): void {
  for (const { name, shape } of expected) {
    const found = reopened.tensors.get(name);
    if (!found && isDerived(name)) continue;
    if (!found) throw differsError(reopened.path, name, "is missing");
    if (found.shape.join() !== shape.join()) {
      throw differsError(
        reopened.path,
        name,
        `is [${found.shape.join(", ")}] instead of [${shape.join(", ")}]`,
      );
    }
  }
  const names = new Set(expected.map(({ name }) => name));
  for (const name of reopened.tensors.keys())
    if (!names.has(name)) throw differsError(reopened.path, name, "is not what was to be written");
}

/** Largest |difference|; infinite where bytes that are not weights differ, or a number is not one. */
async function tensorDifference(
  source: Checkpoint,
  reopened: Checkpoint,
  variant: ExportVariant,
  name: string,
  memory: WeightMemory,
): Promise<number> {
  const planned = variant.plans.has(name);
  const storedAlike = source.tensors.get(name)?.dtype === reopened.tensors.get(name)?.dtype;
  if (!planned && storedAlike && !isPacked(reopened, name) && !isPacked(source, name))
    return (await sameBytes(source, reopened, name)) ? 0 : Infinity;
  // a format that stores a tensor in another type must hold the same numbers
  const judged = planned ? await judgedWeights(source, variant, name, memory) : await source.read(name);
  const found = await reopened.read(name);
  const [expected, present] = [bitsOf(judged), bitsOf(found)];
  let largest = 0;
  for (let i = 0; i < expected.length; i++) {
    if (expected[i] === present[i]) continue;
    // zeros of two signs differ by as little as f32 can
    const difference = judged[i] === found[i] ? SMALLEST_F32 : Math.abs(judged[i] - found[i]);
    // written so that NaN counts as the worst of all
    if (!(difference <= largest)) largest = Number.isNaN(difference) ? Infinity : difference;
  }
  return largest;
}

function bitsOf(values: Float32Array): Uint32Array {
  return new Uint32Array(values.buffer, values.byteOffset, values.length);
}

function isPacked(checkpoint: Checkpoint, name: string): boolean {
  return checkpoint.tensors.get(name)?.packed !== undefined;
}

async function sameBytes(source: Checkpoint, reopened: Checkpoint, name: string): Promise<boolean> {
  let at = 0;
  for await (const expected of sourceBytes(source, name)) {
    const found = await reopened.readBytes(name, at, at + expected.byteLength);
    if (Buffer.compare(expected, found) !== 0) return false;
    at += expected.byteLength;
  }
  return true;
}

function differsError(
  out: string,
  tensor: string,
  how: string,
  difference: number | null = null,
): KeystoneError {
  return new KeystoneError(
    "export/differs",
    `Tensor ${tensor} of the export in ${out} ${how}.`,
    "The export is not kept. Check the disk and export again.",
    { out, tensor, difference: difference === Infinity ? null : difference },
  );
}
