import type { TensorPlan } from "#engine/quantize/plan/tensorPlan.ts";
import { KeystoneError, type KeystoneErrorData } from "#shared/errors.ts";
import { parseGranularity, type Granularity, type SchemeName, type Recipe } from "#shared/recipe.ts";
import { granularityLabel, schemeLabel } from "#shared/recipeText.ts";
import { familyFor, transposedPaths } from "#engine/architecture/readArchitecture.ts";
import { writtenStacked } from "../../safetensors/write/stackedTensorData.ts";
import { roleOf } from "#engine/checkpoint/tensorRole.ts";
import type { ExportModel } from "../../write/exporter.ts";
import { keepProblems } from "../../write/keepModules.ts";
import { activationProblems, recipeSettings, transformersProblems } from "../../write/problems.ts";

/** What a format holds, as far as a recipe can ask for it. */
export interface PackedLimits {
  /** How sentences name the format. */
  readonly subject: string;
  /** Its own scheme. */
  readonly scheme: SchemeName;
  /** Whether `int` codes, which have integer zero points, have a place too. */
  readonly alsoInt: boolean;
  /** Bits of its modules. */
  readonly bits: readonly number[];
  /** Whether symmetric codes have a place. */
  readonly symmetric: boolean;
  /** Group sizes that its loaders know; null = any. */
  readonly groups: readonly number[] | null;
  /** Whether a whole row may share a scale. */
  readonly channel: boolean;
  /** Whether the output head may be a packed module, where it is a tensor of its own. */
  readonly head: boolean;
  /** Whether the token embedding may be a packed module. */
  readonly embedding: boolean;
  /** The columns and rows of a module must be multiples of these, in codes of so many bits. */
  readonly multiples: (bits: number) => { readonly rows: number; readonly columns: number };
}

/** What is offered where any group has a place. */
const USUAL_GROUPS = [32, 64, 128];

type Settings = Pick<TensorPlan, "scheme" | "bits" | "symmetric"> & { readonly granularity: Granularity };

/** What of a recipe a packed format cannot store; with a model, of what the recipe makes of it. */
export function packedProblems(
  limits: PackedLimits,
  recipe: Recipe,
  on?: { model: ExportModel; plans: ReadonlyMap<string, TensorPlan> },
): KeystoneErrorData[] {
  const plans = on && [...on.plans.values()];
  const settings: Settings[] =
    plans ??
    recipeSettings(recipe).map((each) => ({ ...each, granularity: parseGranularity(each.granularity) }));
  const scheme = settings.find((each) => !holdsScheme(limits, each));
  const block = scheme ? undefined : settings.find((each) => !holdsBlock(limits, each));
  return [
    ...activationProblems(recipe, limits.subject),
    ...keepProblems(recipe, limits.subject),
    ...(scheme ? [schemeProblem(limits, scheme)] : []),
    ...(block ? [blockProblem(limits, block, plans ?? [])] : []),
    ...(plans && !scheme && !block ? modelProblems(limits, plans) : []),
    ...(on ? [...transformersProblems(on.model.checkpoint), ...transposedProblems(limits, on.model)] : []),
  ];
}

/** Loaders of packed modules know linears stored (out, in) alone. */
function transposedProblems({ subject }: PackedLimits, { checkpoint }: ExportModel): KeystoneErrorData[] {
  const [stacked] = writtenStacked(checkpoint).keys();
  if (stacked !== undefined) return [stackedProblem(subject, checkpoint.config)];
  const transposed = transposedPaths(checkpoint.config);
  if (transposed.length === 0) return [];
  const { modelType } = familyFor(checkpoint.config);
  return [
    new KeystoneError(
      "export/transposed",
      `${subject} holds matrices as (out, in), but ${modelType} stores ${transposed[0]} and others as (in, out), which loaders of packed weights do not expect.`,
      "Export as safetensors, GGUF or ONNX instead.",
      { family: modelType },
    ).toData(),
  ];
}

function stackedProblem(subject: string, config: unknown): KeystoneErrorData {
  const { modelType } = familyFor(config);
  return problem(
    "export/stacked",
    `${subject} holds one matrix a module, but ${modelType} has the experts of a layer in one tensor, and its loaders know no packed form of that but MXFP4.`,
    "Export as safetensors instead.",
  );
}

/** The format's own scheme, or `int`, whose codes and scales are of the same kind. */
function holdsScheme({ scheme, alsoInt, bits, symmetric }: PackedLimits, settings: Settings): boolean {
  const kind = settings.scheme === scheme || (alsoInt && settings.scheme === "int");
  return kind && bits.includes(settings.bits) && (symmetric || !settings.symmetric);
}

function holdsBlock({ groups, channel }: PackedLimits, { granularity }: Settings): boolean {
  if (granularity.kind === "channel") return channel;
  return granularity.kind === "group" && (groups === null || groups.includes(granularity.size));
}

function problem(code: string, message: string, next: string): KeystoneErrorData {
  return new KeystoneError(code, message, next).toData();
}

function schemeProblem(
  { subject, scheme, bits, symmetric }: PackedLimits,
  found: Settings,
): KeystoneErrorData {
  const kinds = symmetric ? "symmetric or asymmetric" : "asymmetric";
  return problem(
    "export/packed-scheme",
    `${subject} holds ${bits.join(", ")}-bit integers, ${kinds}; it cannot store ${schemeLabel(found)}.`,
    `Use the scheme ${scheme}, which is this format's own.`,
  );
}

function blockProblem(
  { subject, groups, channel }: PackedLimits,
  { granularity }: Settings,
  plans: readonly TensorPlan[],
): KeystoneErrorData {
  const found =
    granularity.kind === "group" ? granularityLabel(`group:${granularity.size}`) : granularity.kind;
  const names = groups ? groups.map((size) => `group:${size}`).join(", ") : "group:N";
  const dividing = (groups ?? USUAL_GROUPS).filter((size) =>
    plans.every(({ columns }) => columns % size === 0),
  );
  const wanted = granularity.kind === "group" ? granularity.size : 64;
  return problem(
    "export/packed-block",
    `${subject} has blocks of ${names}${channel ? " or channel" : ""}, not ${found}.`,
    dividing.length > 0
      ? `Use group:${nearestOf(dividing, wanted)}.`
      : channel
        ? "Use channel: no group of these divides every row."
        : "No group of these divides every row: leave out the tensors that they do not divide, or choose another format.",
  );
}

function nearestOf(sizes: readonly number[], wanted: number): number {
  return sizes.reduce((best, size) => (Math.abs(size - wanted) < Math.abs(best - wanted) ? size : best));
}

function modelProblems(limits: PackedLimits, plans: readonly TensorPlan[]): KeystoneErrorData[] {
  const { subject, scheme, head, embedding, multiples } = limits;
  const problems: KeystoneErrorData[] = [];
  if (plans.length === 0)
    problems.push(
      problem(
        "export/nothing-packed",
        "This recipe quantizes no tensor of this model, so there is nothing to pack.",
        "Quantize more of it, or export as safetensors.",
      ),
    );
  const outside = plans.find(
    (plan) => plan.layer === null && !(head && isHead(plan)) && !(embedding && isEmbedding(plan)),
  );
  if (outside)
    problems.push(
      problem(
        "export/packed-outside",
        `${subject} packs the linears of the layers${head ? " and an output head of its own" : ""}, but the recipe also quantizes ${outside.name}.`,
        `Add ${JSON.stringify(outside.name)} to "ignore".`,
      ),
    );
  const other = plans.find((plan) => plan.scheme === "int" && plan.storage !== "F16");
  if (other)
    problems.push(
      problem(
        "export/packed-dtype",
        `The scheme int has f16 scales, but ${other.name} is computed in ${other.storage}.`,
        `Use the scheme ${scheme}, whose scales follow the checkpoint's type.`,
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
        `Add ${JSON.stringify(misfit.name)} to "ignore", or export as compressed-tensors.`,
      ),
    );
  }
  return problems;
}

function isEmbedding({ name }: TensorPlan): boolean {
  return roleOf(name) === "embedding";
}

function isHead({ name }: TensorPlan): boolean {
  return /(?:^|\.)lm_head\.weight$/.test(name);
}
