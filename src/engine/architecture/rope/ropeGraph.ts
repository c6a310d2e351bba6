import type { Graph, Value } from "../graph/graph.ts";
import { rotaryFrequencies, rotaryScale, type RopeSettings } from "./rope.ts";

/**
 * cos and sin of the angles at `positions`, computed in the graph as {@link rotaryTables} computes them: angles are products
 * in f32, their cosines are taken in f64. No table bounds the length, and `dynamic` can follow it.
 * @param positions (batch, sequence) int64
 * @returns (batch, 1, sequence, size / 2) each, f32
 */
export function rotaryOf(
  g: Graph,
  rope: RopeSettings,
  size: number,
  positions: Value,
): { cos: Value; sin: Value } {
  return g.scope("rope", () => {
    const frequencies = frequenciesOf(g, rope, size, positions);
    const rows = g.cast(g.reshape(positions, [0, 1, -1, 1]), "float32");
    const angles = g.cast(g.multiply(rows, frequencies), "float64");
    const scale = rotaryScale(rope);
    const turn = (type: "Cos" | "Sin"): Value => {
      const value = g.op(type, [angles]);
      return g.cast(scale === 1 ? value : g.multiply(value, g.double(scale)), "float32");
    };
    return { cos: turn("Cos"), sin: turn("Sin") };
  });
}

/** {@link rotaryFrequencies} of a text as long as the last position says. */
function frequenciesOf(g: Graph, rope: RopeSettings, size: number, positions: Value): Value {
  const fixed = (name: string, length: number): Value =>
    g.floats(name, rotaryFrequencies(rope, size, length));
  if (rope.kind === "dynamic") return dynamicFrequencies(g, rope, size, positions);
  if (rope.kind !== "longrope") return fixed("frequencies", 0);
  const last = g.op("ReduceMax", [positions], { keepdims: 0 });
  const isLong = g.op("GreaterOrEqual", [last, g.int(rope.originalContext)]);
  return g.op("Where", [isLong, fixed("long", rope.originalContext + 1), fixed("short", 0)]);
}

function dynamicFrequencies(
  g: Graph,
  rope: RopeSettings & { kind: "dynamic" },
  size: number,
  positions: Value,
): Value {
  const last = g.op("ReduceMax", [positions], { keepdims: 0 });
  const length = g.cast(g.add(last, g.int(1)), "float64");
  const stretch = g.op("Div", [
    g.op("Max", [length, g.double(rope.contextLength)]),
    g.double(rope.contextLength),
  ]);
  const grown = g.subtract(g.multiply(stretch, g.double(rope.factor)), g.double(rope.factor - 1));
  const theta = g.multiply(g.op("Pow", [grown, g.double(size / (size - 2))]), g.double(rope.theta));
  const exponents = Float64Array.from({ length: size / 2 }, (_, i) => Math.fround((2 * i) / size));
  const powers = g.cast(g.op("Pow", [theta, g.floats("exponents", exponents)]), "float32");
  return g.op("Div", [g.float(1), powers]);
}
