import type { Note } from "#shared/notes.ts";
import type { TensorPlan } from "#engine/quantize/plan/tensorPlan.ts";
import { KeystoneError } from "#shared/errors.ts";
import type { Exporter, ExportSource } from "../../write/exporter.ts";
import { CONFIG_FILE } from "../../write/sourceIndex.ts";
import { awqLayout } from "./awqLayout.ts";
import { packedExporter } from "./packedExporter.ts";
import { fusedNotes, vllmGroupNotes } from "./vllmNotes.ts";
import { moduleOf, packedConfig, schemesOf, unquantizedLinears } from "./packedSchemes.ts";

/** AutoAWQ 0.2.9 looks for the names of unquantized modules within a layer only. */
const UNQUANTIZED: Note = {
  code: "awq/unquantized-module",
  text: "AutoAWQ itself cannot leave a module of a single layer unquantized, so it does not load this variant; transformers and vLLM do.",
};

const exporter = packedExporter({
  limits: {
    subject: "AWQ",
    scheme: "awq-int",
    alsoInt: true,
    bits: [4],
    symmetric: false,
    groups: [16, 32, 64, 128],
    channel: true,
    head: false,
    embedding: false,
    multiples: () => ({ rows: 8, columns: 1 }),
  },
  layoutOf: () => awqLayout,
  files: (source) =>
    new Map([
      [
        CONFIG_FILE,
        packedConfig(source.model.checkpoint, source.variant.plans.values(), quantizationConfig(source)),
      ],
    ]),
  notes: (source) => [
    ...vllmGroupNotes(schemesOf(source.variant.plans.values())),
    ...(unquantizedLinears(source.model.checkpoint, source.variant.plans).length > 0 ? [UNQUANTIZED] : []),
    ...fusedNotes(source),
  ],
});

/** The format has one group size for all modules, so a recipe whose overrides vary it has no place. */
export const awqExporter: Exporter = {
  ...exporter,
  problems(recipe, on) {
    const problems = exporter.problems(recipe, on);
    if (!on || problems.length > 0) return problems;
    const sizes = groupSizes(on.plans.values());
    if (sizes.length < 2) return problems;
    return [
      new KeystoneError(
        "export/awq-groups",
        `AWQ has one block for all modules, but this recipe uses ${sizes.join(" and ")}.`,
        "Leave the block out of the overrides, or export as compressed-tensors or GPTQ.",
      ).toData(),
    ];
  },
};

function groupSizes(plans: Iterable<TensorPlan>): string[] {
  const sizes = schemesOf(plans).map(({ groupSize }) =>
    groupSize === null ? "channel" : `group:${groupSize}`,
  );
  return [...new Set(sizes)];
}

function quantizationConfig({ model: { checkpoint }, variant }: ExportSource): Record<string, unknown> {
  const [main] = schemesOf(variant.plans.values());
  const unquantized = unquantizedLinears(checkpoint, variant.plans).map(({ name }) => moduleOf(name));
  const head = checkpoint.tensors.has("lm_head.weight") ? ["lm_head"] : [];
  const left = [...unquantized, ...head];
  return {
    quant_method: "awq",
    bits: 4,
    group_size: main.groupSize ?? -1,
    version: "gemm",
    zero_point: true,
    modules_to_not_convert: left.length > 0 ? left : null,
  };
}
