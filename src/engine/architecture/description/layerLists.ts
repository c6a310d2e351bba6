import { z } from "zod";
import { requireConfig } from "./commonFields.ts";

/** `layer_types` of a family that has these kinds of layers. An entry's place, which a refusal names, is its layer. */
export function layerKinds<const Kinds extends readonly [string, ...string[]]>(kinds: Kinds) {
  return z.array(
    z.enum(kinds, {
      error: ({ input }) =>
        `a layer of the kind ${JSON.stringify(input)}, where the family has ${kinds.join(" and ")}`,
    }),
  );
}

/** With and without a window. */
export const windowKinds = layerKinds(["full_attention", "sliding_attention"]);

/** Lists with an entry for each layer, and whether more of them than layers are an error in transformers too. */
const LISTS = [
  { field: "layer_types", says: "kind", exact: true },
  { field: "no_rope_layers", says: "use of positions", exact: false },
] as const;

/**
 * Refuses lists that do not go with the number of layers.
 * @param fields those that the family reads
 * @throws KeystoneError architecture/bad-config, naming the layer
 */
export function requireWholeLists(
  config: Readonly<Record<string, unknown>>,
  fields: readonly string[],
): void {
  const layers = Number(config["num_hidden_layers"]);
  for (const { field, says, exact } of LISTS) {
    const list = config[field];
    if (!fields.includes(field) || !Array.isArray(list)) continue;
    const entries = list.length === 1 ? "1 entry" : `${list.length} entries`;
    requireConfig(
      list.length >= layers,
      `${field} has ${entries} and num_hidden_layers is ${layers}, so that the ${says} of layer ${list.length} is not known`,
    );
    requireConfig(
      !exact || list.length === layers,
      `${field} has ${entries} and num_hidden_layers is ${layers}, so that there is no layer ${layers}`,
    );
  }
}
