import type { Note } from "#shared/notes.ts";
import type { Decoder } from "#engine/architecture/description/description.ts";
import { familyFor } from "#engine/architecture/readArchitecture.ts";

type Config = Readonly<Record<string, unknown>>;

/** A block's linears, and the field that says that they have biases. */
const BLOCKS = [
  {
    block: "self_attn",
    field: "attention_bias",
    slots: ["q_proj", "k_proj", "v_proj", "qkv_proj", "o_proj"],
  },
  { block: "mlp", field: "mlp_bias", slots: ["gate_proj", "up_proj", "gate_up_proj", "down_proj"] },
] as const;

export interface SettledBiases {
  readonly config: Config;
  readonly notes: readonly Note[];
}

/**
 * A config that has biases where the file has them.
 * @param decoder what the config says so far
 * @param names the tensors under the family's names
 */
export function settleBiases(
  config: Config,
  { layers }: Pick<Decoder, "layers">,
  names: ReadonlySet<string>,
): SettledBiases {
  const { biases } = familyFor(config);
  if (biases === null) return { config, notes: [] };
  const settled: Record<string, unknown> = {};
  const unannounced: string[] = [];
  for (const { block, field, slots } of BLOCKS) {
    const present = slots.filter(
      (slot) =>
        !biases.always.includes(slot) &&
        Array.from(layers.keys()).some((layer) => names.has(`model.layers.${layer}.${block}.${slot}.bias`)),
    );
    const announced = config[field] === true;
    // where only the file can tell, a flag without tensors means nothing
    const wanted = present.length > 0 || (announced && biases.flagCounts);
    if (wanted === announced) continue;
    settled[field] = wanted;
    if (wanted) unannounced.push(...present);
  }
  return {
    config: Object.keys(settled).length === 0 ? config : { ...config, ...settled },
    notes:
      unannounced.length === 0
        ? []
        : [
            {
              code: "biases/unannounced",
              text: `The file holds biases of ${unannounced.join(", ")} that config.json does not announce: they are used, as llama.cpp uses them in llama models. transformers would leave them out.`,
            },
          ],
  };
}

/** The bias tensors of a needed list that a file lacks although it has others of the same block: zeros stand for them. */
export function absentBiases(needed: Iterable<string>, names: ReadonlySet<string>): string[] {
  const blocks = new Set([...names].filter((name) => name.endsWith(".bias")).map(blockOf));
  return [...needed].filter(
    (name) => name.endsWith(".bias") && !names.has(name) && blocks.has(blockOf(name)),
  );
}

/** `self_attn` or `mlp`, whatever the layer. */
function blockOf(name: string): string {
  return /^model\.layers\.\d+\.(self_attn|mlp)\./.exec(name)?.[1] ?? name;
}
