import { SCHEMES } from "#shared/schemes/index.ts";
import { KeystoneError } from "#shared/errors.ts";
import type { TensorInfo } from "#shared/model.ts";
import {
  DEFAULT_IGNORE,
  inheritedSymmetric,
  parseGranularity,
  type SchemeName,
  type Override,
  type Recipe,
} from "#shared/recipe.ts";
import type { StorageType } from "#engine/numeric/storageTypes.ts";
import { blockNotes, checkBlocksFit } from "./blockFit.ts";
import { fallbackNotes, ownStoring, storingOf } from "./fallback.ts";
import { mixOf } from "./ggufMix.ts";
import type { PlanContext } from "./planContext.ts";
import type { Note } from "#shared/notes.ts";
import { Notes } from "./notes.ts";
import { resolveRestore } from "./restoreCoordinates.ts";
import { namePattern } from "./tensorPattern.ts";
import type { TensorPlan } from "#engine/quantize/plan/tensorPlan.ts";

/** Every tensor that a recipe quantizes, by name, in the checkpoint's order, and what the person should know about it. */
export interface TensorPlans {
  readonly tensors: ReadonlyMap<string, TensorPlan>;
  /** One sentence each; nothing here stops a run. */
  readonly notes: readonly Note[];
}

/**
 * Brings a recipe down to the tensors of a model and checks it whole, before any weight is read.
 * Quantized are the 2-D linears of the decoder layers, the embedding and the output head, less those that `ignore` or a
 * `skip` override names (the embedding and the head are in `ignore` by default). `ignore` wins over `overrides`; of the
 * overrides the first match wins.
 * @throws KeystoneError recipe/block-does-not-divide, recipe/no-such-weight, recipe/bad-pattern, checkpoint/unreadable-dtype
 */
export function planTensors(
  recipe: Recipe,
  tensors: readonly TensorInfo[],
  context: PlanContext,
): TensorPlans {
  const notes = new Notes();
  const chosen = chooseTensors(recipe, tensors, notes);
  const restore = resolveRestore(recipe, tensors, chosen, context, notes);
  const plans = new Map<string, TensorPlan>();
  const mixed = mixOf(() => context.decoder());
  const changed: Parameters<typeof fallbackNotes>[0][number][] = [];
  for (const [tensor, override] of chosen) {
    const [rows = 0, columns = 0] = tensor.shape;
    const named = override?.scheme ?? recipe.scheme;
    const asked = mixed(named, tensor);
    const own = {
      bits: override?.bits ?? recipe.bits,
      granularity: parseGranularity(override?.granularity ?? recipe.granularity),
    };
    const storing = storingOf(asked === named ? { scheme: asked, ...own } : ownStoring(asked), columns);
    const { scheme } = storing;
    if (scheme !== asked) changed.push({ name: tensor.name, asked, scheme });
    const { rounds } = SCHEMES[scheme];
    const inputs = context.inputs?.(tensor.name);
    plans.set(tensor.name, {
      name: tensor.name,
      layer: tensor.layer,
      rows,
      columns,
      ...storing,
      symmetric: override?.symmetric ?? inheritedSymmetric(recipe, override),
      ...(rounds && { granularity: { kind: "tensor" } as const }),
      range: rounds ? null : override?.range === undefined ? recipe.range : override.range,
      // where a scheme is a type, each weight has one nearest value
      method: rounds ? "rtn" : recipe.method,
      restore: restore(tensor.name),
      excludeFromRange: recipe.excludeFromRange,
      storage: context.storage ?? judgedType(scheme, tensor),
      ...(inputs ? { inputs } : {}),
    });
  }
  checkBlocksFit([...plans.values()]);
  blockNotes([...plans.values()], notes);
  fallbackNotes(changed, notes);
  if (plans.size === 0)
    notes.add("recipe/nothing", "This recipe quantizes no tensor: the variant equals the original.");
  return { tensors: plans, notes: notes.list() };
}

/** The tensors to quantize, each with the override that applies to it. */
function chooseTensors(
  recipe: Recipe,
  tensors: readonly TensorInfo[],
  notes: Notes,
): Map<TensorInfo, Override | undefined> {
  const ignore = recipe.ignore.map((glob) => ({ glob, matches: ignorePattern(glob), used: false }));
  const overrides = recipe.overrides.map((override) => ({
    override,
    matches: namePattern(override.match),
    found: false,
    used: false,
  }));
  const chosen = new Map<TensorInfo, Override | undefined>();
  for (const tensor of tensors) {
    const kept = ignore.filter((pattern) => pattern.matches(tensor));
    const matching = overrides.filter((pattern) => pattern.matches(tensor.name));
    for (const pattern of kept) pattern.used = true;
    for (const pattern of matching) pattern.found = true;
    if (kept.length > 0 || !isQuantizable(tensor)) continue;
    const first = matching[0];
    if (first) first.used = true;
    if (!first?.override.skip) chosen.set(tensor, first?.override);
  }
  for (const { glob, used } of ignore) {
    // The default names what a tied or headless model does not have; that is nobody's mistake.
    if (!used && !isDefaultIgnore(glob))
      notes.add("ignore/no-match", `ignore "${glob}" matches no tensor of this model.`);
  }
  for (const { override, found, used } of overrides) {
    if (!found)
      notes.add("override/no-match", `The override for "${override.match}" matches no tensor of this model.`);
    else if (!used)
      notes.add(
        "override/no-effect",
        `The override for "${override.match}" changes nothing: ignore, an earlier override or a 1-D shape comes first.`,
      );
  }
  noteTiedEmbedding(tensors, chosen, notes);
  return chosen;
}

/** The default patterns mean the output head and the embeddings, whatever the family calls them. */
function ignorePattern(glob: string): (tensor: TensorInfo) => boolean {
  const matches = namePattern(glob);
  const [head, embeddings] = DEFAULT_IGNORE;
  const role = glob === head ? "head" : glob === embeddings ? "embedding" : null;
  return (tensor) => matches(tensor.name) || (role !== null && tensor.role === role);
}

function isDefaultIgnore(glob: string): boolean {
  return DEFAULT_IGNORE.includes(glob);
}

/** 2-D, not empty, and a linear of a decoder layer, the embedding or the output head. Vectors are never quantized. */
export function isQuantizable(tensor: TensorInfo): boolean {
  if (tensor.shape.length !== 2 || tensor.parameters === 0) return false;
  return tensor.linear || tensor.role === "embedding" || tensor.role === "head";
}

function noteTiedEmbedding(
  tensors: readonly TensorInfo[],
  chosen: ReadonlyMap<TensorInfo, unknown>,
  notes: Notes,
): void {
  if (tensors.some((tensor) => tensor.role === "head")) return;
  for (const tensor of chosen.keys()) {
    if (tensor.role === "embedding") {
      notes.add(
        "embedding/tied",
        `"${tensor.name}" is also the output head (tied): both use its quantized values.`,
      );
    }
  }
}

/** What ŵ is rounded to: the tensor's own type, or the type that the scheme's runtimes compute in. */
function judgedType(scheme: SchemeName, tensor: TensorInfo): StorageType {
  const storage = storageOf(tensor);
  if (SCHEMES[scheme].computes === "full") return "F32";
  return storage === "F32" && SCHEMES[scheme].computes === "half" ? "F16" : storage;
}

function storageOf(tensor: TensorInfo): StorageType {
  if (tensor.dtype === "F32" || tensor.dtype === "F16" || tensor.dtype === "BF16") return tensor.dtype;
  throw new KeystoneError(
    "checkpoint/unreadable-dtype",
    `Tensor "${tensor.name}" is stored as ${tensor.dtype}; F32, F16 and BF16 can be quantized.`,
    'Leave it out with "ignore", or use a checkpoint in one of those types.',
    { tensor: tensor.name, dtype: tensor.dtype },
  );
}
