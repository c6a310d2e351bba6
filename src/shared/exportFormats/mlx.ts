import type { ExportFormatDescriptor } from "./descriptor.ts";

export const mlx: ExportFormatDescriptor = {
  title: "MLX",
  summary:
    "A folder for mlx-lm and LM Studio on Macs, as mlx_lm.convert writes it. The weights are rounded to nearest in affine groups.",
  help: "affine groups of 2 to 6 and 8 bits for mlx-lm and LM Studio on Macs; scheme mlx",
  size: "packed",
  restored: "module",
  kept: ["unquantized", "8-bit"],
  keptEmbedding: [],
  sharded: true,
  own: ["mlx"],
  exact:
    "Codes, scales and biases are stored as they were evaluated, and MLX dequantizes them to the same numbers; all other tensors keep every byte.",
  schemes: "mlx with 2, 3, 4, 5, 6 or 8 bits",
  granularities: "group:32, group:64, group:128",
  loadsIn: ["mlx-lm", "LM Studio", "Keystone"],
  library: "mlx",
  runtime: "mlx-lm",
  usesEveryTensor: true,
  overrules: {},
  holdsHalfTypes: false,
  copiesGgufBlocks: false,
  preset: {
    id: "preset:mlx",
    name: "4 bits for MLX",
    description: "mlx-lm's affine groups: 4, 5 and 6 bits, plain and with outliers clipped.",
    plan: (granularity) => ({
      base: { scheme: "mlx" },
      grid: {
        bits: [4, 5, 6],
        granularity: granularity.filter((each) => MLX_GROUPS.includes(each)),
        range: [null, { method: "zscore", threshold: 9 }],
      },
    }),
  },
  launch: (folder) => ({
    runtime: "mlx-lm",
    line: `mlx_lm.generate --model ${JSON.stringify(folder)} --prompt "Once upon a time"`,
  }),
};

/** The groups that its kernels know. */
const MLX_GROUPS = ["group:32", "group:64", "group:128"];
