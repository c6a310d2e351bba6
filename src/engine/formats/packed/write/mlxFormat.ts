import { KeystoneError } from "#shared/errors.ts";
import { expertIn } from "#engine/checkpoint/tensorRole.ts";
import type { Exporter, ExportSource } from "../../write/exporter.ts";
import { CONFIG_FILE } from "../../write/sourceIndex.ts";
import { mlxLayout } from "./mlxLayout.ts";
import { packedExporter } from "./packedExporter.ts";
import { packedConfig, schemesOf, type PackedScheme } from "./packedSchemes.ts";

const exporter = packedExporter({
  limits: {
    subject: "MLX",
    scheme: "mlx",
    alsoInt: false,
    bits: [2, 3, 4, 5, 6, 8],
    symmetric: false,
    groups: [32, 64, 128],
    channel: false,
    head: true,
    embedding: true,
    multiples: () => ({ rows: 1, columns: 32 }),
  },
  layoutOf: () => mlxLayout,
  files: (source) => {
    const { checkpoint } = source.model;
    const quantization = quantizationConfig(source);
    const config = packedConfig(checkpoint, source.variant.plans.values(), quantization);
    return new Map([[CONFIG_FILE, { ...config, quantization }]]);
  },
  notes: () => [],
});

/** mlx-lm stacks experts by itself while it loads them, and looks for plain weights there. */
export const mlxExporter: Exporter = {
  ...exporter,
  problems(recipe, on) {
    const problems = exporter.problems(recipe, on);
    const expert = on && [...on.plans.keys()].find((name) => expertIn(name) !== null);
    if (!expert) return problems;
    return [
      ...problems,
      new KeystoneError(
        "export/mlx-experts",
        `MLX stacks a layer's experts in one module, which Keystone does not write yet; the recipe quantizes ${expert}.`,
        'Add "*.experts.*" to "ignore", or export as compressed-tensors.',
      ).toData(),
    ];
  },
};

/**
 * What mlx-lm reads from `quantization` (and other programs from its copy, `quantization_config`): the settings of most modules,
 * and by path those of modules with others. A module without scales among the tensors stays as it is.
 */
function quantizationConfig({ variant }: ExportSource): Record<string, unknown> {
  const [main, ...others] = schemesOf(variant.plans.values());
  return {
    ...settingsOf(main),
    ...Object.fromEntries(
      others.flatMap((scheme) => scheme.modules.map((name) => [name, settingsOf(scheme)])),
    ),
  };
}

function settingsOf({ bits, groupSize }: PackedScheme): Record<string, unknown> {
  return { group_size: groupSize, bits, mode: "affine" };
}
