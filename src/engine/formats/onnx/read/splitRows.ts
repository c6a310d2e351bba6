import { z } from "zod";

/** Rows [first, first + rows) of a stored matrix or vector, as a tensor of their own. */
export interface RowSplit {
  readonly name: string;
  readonly first: number;
  readonly rows: number;
}

const size = z.number().int().positive();
const shape = z.looseObject({
  hidden_size: size,
  num_attention_heads: size,
  num_key_value_heads: size.nullish(),
  head_dim: size.nullish(),
});

/**
 * What a tensor is in the checkpoint: queries, keys and values, or gate and up, that an exporter put below one another are
 * taken apart by the config's sizes, unless the family itself has them in one; every other tensor is itself, and so are these where the sizes do not add up.
 */
export function splitRows(name: string, rows: number, config: unknown, own: ReadonlySet<string>): RowSplit[] {
  const whole = [{ name, first: 0, rows }];
  const it = shape.safeParse(config).data;
  if (!it || own.has(name)) return whole;
  const headSize = it.head_dim ?? it.hidden_size / it.num_attention_heads;
  const [queries, keys] = [it.num_attention_heads, it.num_key_value_heads ?? it.num_attention_heads].map(
    (heads) => heads * headSize,
  );
  const parts: readonly (readonly [string, number])[] = name.includes(".qkv_proj.")
    ? [
        ["q_proj", queries],
        ["k_proj", keys],
        ["v_proj", keys],
      ]
    : name.includes(".gate_up_proj.")
      ? [
          ["gate_proj", rows / 2],
          ["up_proj", rows / 2],
        ]
      : [];
  if (parts.length === 0 || parts.reduce((sum, [, count]) => sum + count, 0) !== rows || rows % 2 !== 0)
    return whole;
  let first = 0;
  return parts.map(([slot, count]) => {
    const split = { name: name.replace(/\.(qkv|gate_up)_proj\./, `.${slot}.`), first, rows: count };
    first += count;
    return split;
  });
}
