import type { Note } from "#shared/notes.ts";
import { z } from "zod";

/** How a module's weights are cut: columns that share a scale and a bias, and bits of a code. */
export interface MlxModule {
  readonly groupSize: number;
  readonly bits: number;
}

export interface MlxPacking extends MlxModule {
  readonly method: "mlx";
  /** Modules with settings of their own, by their paths. */
  readonly modules: ReadonlyMap<string, MlxModule>;
  readonly notes: readonly Note[];
}

const BITS: readonly number[] = [2, 3, 4, 5, 6, 8];

const moduleSettings = z.looseObject({
  group_size: z.number().int().positive(),
  bits: z.number().int().positive(),
  mode: z.string().nullish(),
});

/** MLX's `quantization`: settings of all modules, and by path those of single ones; `false` there leaves a module as it is. */
export const mlxSettings = moduleSettings;

/** What the settings come to; `refused` completes "This checkpoint's weights are …". */
export function ofMlx(
  config: z.infer<typeof mlxSettings>,
): { readonly packing: MlxPacking } | { readonly refused: string } {
  const single = Object.entries(config).flatMap(([path, settings]) => {
    const { data } = moduleSettings.safeParse(settings);
    return data ? [{ path, settings: data }] : [];
  });
  for (const { mode, bits } of [config, ...single.map(({ settings }) => settings)]) {
    if (mode && mode !== "affine") return { refused: `packed by MLX in the mode ${JSON.stringify(mode)}` };
    if (!BITS.includes(bits)) return { refused: `packed by MLX with ${bits} bits` };
  }
  return {
    packing: {
      method: "mlx",
      groupSize: config.group_size,
      bits: config.bits,
      modules: new Map(
        single.map(({ path, settings: { group_size: groupSize, bits } }) => [path, { groupSize, bits }]),
      ),
      notes: [],
    },
  };
}
