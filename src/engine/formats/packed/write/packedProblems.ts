import type { TensorPlan } from "#engine/quantize/plan/tensorPlan.ts";
import { KeystoneError, type KeystoneErrorData } from "#shared/errors.ts";
import { parseBlock, type Block, type CodecName, type Recipe } from "#shared/recipe.ts";
import { blockLabel, codecLabel } from "#shared/recipeText.ts";
import type { ExportModel } from "../../write/exporter.ts";
import { keepProblems } from "../../write/keepModules.ts";
import { activationProblems, recipeSettings, transformersProblems } from "../../write/problems.ts";

/** What a format holds, as far as a recipe can ask for it. */
export interface PackedLimits {
  /** How sentences name the format. */
  readonly subject: string;
  /** Its own codec. */
  readonly codec: CodecName;
  /** Bits of its modules. */
  readonly bits: readonly number[];
  /** Whether symmetric codes have a place. */
  readonly symmetric: boolean;
  /** Group sizes that its loaders know; null = any. */
  readonly groups: readonly number[] | null;
  /** Whether the output head may be a packed module, where it is a tensor of its own. */
  readonly head: boolean;
  /** The columns and rows of a module must be multiples of these, in codes of so many bits. */
  readonly multiples: (bits: number) => { readonly rows: number; readonly columns: number };
}

/** What is offered where any group has a place. */
const USUAL_GROUPS = [32, 64, 128];

type Settings = Pick<TensorPlan, "codec" | "bits" | "symmetric"> & { readonly block: Block };

/** What of a recipe a packed format cannot store; with a model, of what the recipe makes of it. */
export function packedProblems(
  limits: PackedLimits,
  recipe: Recipe,
  on?: { model: ExportModel; plans: ReadonlyMap<string, TensorPlan> },
): KeystoneErrorData[] {
  const plans = on && [...on.plans.values()];
  const settings: Settings[] =
    plans ?? recipeSettings(recipe).map((each) => ({ ...each, block: parseBlock(each.block) }));
  const codec = settings.find((each) => !holdsCodec(limits, each));
  const block = codec ? undefined : settings.find((each) => !holdsBlock(limits, each));
  return [
    ...activationProblems(recipe, limits.subject),
    ...keepProblems(recipe, limits.subject),
    ...(codec ? [codecProblem(limits, codec)] : []),
    ...(block ? [blockProblem(limits, block, plans ?? [])] : []),
    ...(plans && !codec && !block ? modelProblems(limits, plans) : []),
    ...(on ? transformersProblems(on.model.checkpoint) : []),
  ];
}

/** The format's own codec, or `int`, whose codes and scales are of the same kind. */
function holdsCodec({ codec, bits, symmetric }: PackedLimits, settings: Settings): boolean {
  const kind = settings.codec === codec || settings.codec === "int";
  return kind && bits.includes(settings.bits) && (symmetric || !settings.symmetric);
}

function holdsBlock({ groups }: PackedLimits, { block }: Settings): boolean {
  if (block.kind === "channel") return true;
  return block.kind === "group" && (groups === null || groups.includes(block.size));
}

function problem(code: string, message: string, next: string): KeystoneErrorData {
  return new KeystoneError(code, message, next).toData();
}

function codecProblem({ subject, codec, bits, symmetric }: PackedLimits, found: Settings): KeystoneErrorData {
  const kinds = symmetric ? "symmetric or asymmetric" : "asymmetric";
  return problem(
    "export/packed-codec",
    `${subject} holds ${bits.join(", ")}-bit integers, ${kinds}; it cannot store ${codecLabel(found)}.`,
    `Use the codec ${codec}, which is this format's own.`,
  );
}

function blockProblem(
  { subject, groups }: PackedLimits,
  { block }: Settings,
  plans: readonly TensorPlan[],
): KeystoneErrorData {
  const found = block.kind === "group" ? blockLabel(`group:${block.size}`) : block.kind;
  const names = groups ? groups.map((size) => `group:${size}`).join(", ") : "group:N";
  const dividing = (groups ?? USUAL_GROUPS).filter((size) =>
    plans.every(({ columns }) => columns % size === 0),
  );
  const wanted = block.kind === "group" ? block.size : 64;
  return problem(
    "export/packed-block",
    `${subject} has blocks of ${names} or channel, not ${found}.`,
    dividing.length > 0
      ? `Use group:${nearestOf(dividing, wanted)}.`
      : "Use channel: no group of these divides every row.",
  );
}

function nearestOf(sizes: readonly number[], wanted: number): number {
  return sizes.reduce((best, size) => (Math.abs(size - wanted) < Math.abs(best - wanted) ? size : best));
}

function modelProblems(limits: PackedLimits, plans: readonly TensorPlan[]): KeystoneErrorData[] {
  const { subject, codec, head, multiples } = limits;
  const problems: KeystoneErrorData[] = [];
  if (plans.length === 0)
    problems.push(
      problem(
        "export/nothing-packed",
        "This recipe quantizes no tensor of this model, so there is nothing to pack.",
        "Quantize more of it, or export as safetensors.",
      ),
    );
  const outside = plans.find((plan) => plan.layer === null && !(head && isHead(plan)));
  if (outside)
    problems.push(
      problem(
        "export/packed-outside",
        `${subject} packs the linears of the layers${head ? " and an output head of its own" : ""}, but the recipe also quantizes ${outside.name}.`,
        `Add ${JSON.stringify(outside.name)} to "keep".`,
      ),
    );
  const other = plans.find((plan) => plan.codec === "int" && plan.storage !== "F16");
  if (other)
    problems.push(
      problem(
        "export/packed-dtype",
        `The codec int has f16 scales, but ${other.name} is computed in ${other.storage}.`,
        `Use the codec ${codec}, whose scales follow the checkpoint's type.`,
      ),
    );
  const misfit = plans.find(({ bits, rows, columns }) => {
    const by = multiples(bits);
    return rows % by.rows !== 0 || columns % by.columns !== 0;
  });
  if (misfit) {
    const by = multiples(misfit.bits);
    problems.push(
      problem(
        "export/packed-shape",
        `${subject} packs ${misfit.bits}-bit codes of ${by.rows} rows and ${by.columns} columns at a time, but ${misfit.name} has ${misfit.rows} × ${misfit.columns}.`,
        `Add ${JSON.stringify(misfit.name)} to "keep", or export as compressed-tensors.`,
      ),
    );
  }
  return problems;
}

function isHead({ name }: TensorPlan): boolean {
  return /(?:^|\.)lm_head\.weight$/.test(name);
}
