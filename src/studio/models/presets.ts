import type { SavedPlan } from "#shared/contract/contract.ts";
import type { ModelSummary } from "#shared/model.ts";
import { exportFormat, exportFormatOf } from "#shared/exportFormats/index.ts";
import { parsePlan } from "#shared/plan.ts";
import { VLLM_GROUPS } from "#shared/exportFormats/vllm.ts";

/** Blocks of the paper's figure 7, as numbers of consecutive weights: B × B for B = 64 … 1024. */
const PAPER_BLOCKS = [64, 128, 256, 512, 1024].map((side) => side * side);
/** Enough text to rank variants, little enough to finish soon. */
const JUDGE = { tokens: 16_384 };
const Z = (threshold: number) => ({ method: "zscore", threshold });

/** @param model leaves out block sizes that do not fit it; null = all */
export function presets(model: ModelSummary | null): SavedPlan[] {
  return [
    preset(
      "preset:paper",
      "The paper's block scan",
      "4-bit round-to-nearest over ever larger blocks, as it is and with outliers clipped (z 9) and the super weights restored.",
      {
        base: { scheme: "affine", bits: 4 },
        grid: {
          granularity: blocksThatMatter(model).map((size) => `flat:${size}`),
          range: [null, Z(9)],
          restore: ["none", "super-weights"],
        },
        judge: JUDGE,
      },
    ),
    ...formatPresets(model),
    preset(
      "preset:clip",
      "Range search",
      "Which threshold costs least: z-scores from 3 to 20 and the least-error range, per row at 4 and 3 bits, with the super weights restored.",
      {
        base: { scheme: "affine", granularity: "channel", restore: "super-weights" },
        grid: { bits: [4, 3], range: [null, ...[3, 5, 7, 9, 12, 20].map(Z), { method: "mse" }] },
        judge: JUDGE,
      },
    ),
    preset(
      "preset:demo",
      "A quick tour",
      "Sixteen variants in which large blocks fail and clipping with restored super weights rescues them.",
      {
        base: { scheme: "affine" },
        grid: {
          bits: [4, 3],
          granularity: ["flat:16384", "tensor"],
          range: [null, Z(5)],
          restore: ["none", "super-weights"],
        },
        judge: { tokens: 4096 },
      },
    ),
  ];
}

/** What every format with schemes of its own proposes. */
function formatPresets(model: ModelSummary | null): SavedPlan[] {
  return exportFormat.options.flatMap((target) => {
    const proposed = exportFormatOf(target).preset;
    if (!proposed) return [];
    const { id, name, description, plan } = proposed;
    return [preset(id, name, description, { ...plan(groupsThatFit(model)), judge: JUDGE, target })];
  });
}

function preset(id: string, name: string, description: string, plan: unknown): SavedPlan {
  // A preset that does not parse is a mistake of ours: better told at once than when it is chosen.
  parsePlan(plan);
  return { id, name, plan, preset: true, description };
}

/** Blocks larger than the largest tensor are all the same. The smallest always stays. */
function blocksThatMatter(model: ModelSummary | null): number[] {
  if (!model) return PAPER_BLOCKS;
  const largest = Math.max(
    0,
    ...model.tensors.filter((tensor) => tensor.linear).map((tensor) => tensor.parameters),
  );
  return PAPER_BLOCKS.filter((size, i) => i === 0 || size <= largest);
}

/** Groups that divide every quantized row; where none does, the smallest stays, so that the plan says what is wrong. */
function groupsThatFit(model: ModelSummary | null): string[] {
  const rows = (model?.tensors ?? []).filter((tensor) => tensor.linear).map((tensor) => tensor.shape[1] ?? 0);
  const largestFirst = VLLM_GROUPS.toReversed();
  const fitting = largestFirst.filter((size) => rows.every((columns) => columns % size === 0));
  return (fitting.length > 0 ? fitting : largestFirst.slice(-1)).map((size) => `group:${size}`);
}
