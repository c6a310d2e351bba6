import { describe, expect, it } from "vitest";
import type { DetectReport } from "#shared/detection.ts";
import { BOS_CHANNEL, detectPlanted, neuron } from "./planted.ts";

/** Column and row of the planted weight. */
const [COLUMN, ROW] = [7, 9];
const alone = neuron(1, COLUMN, BOS_CHANNEL, [[ROW, 5]]);

const verdicts = (found: DetectReport["superWeights"]): [number, number, number, string][] =>
  found.map(({ layer, row, column, verdict }) => [layer, row, column, verdict]);
const klOf = (found: DetectReport["candidates"][number] | undefined): number => found?.effect?.kl ?? NaN;

describe("detection by effect, in a random Llama with planted neurons", () => {
  it("finds a planted weight alone, its effect far beyond the null", async () => {
    const report = await detectPlanted(alone);
    expect(verdicts(report.superWeights)).toEqual([[1, ROW, COLUMN, "super"]]);
    const [{ effect }] = report.superWeights;
    expect(effect?.kl ?? NaN).toBeGreaterThan(10 * (effect?.null.kl ?? NaN));
    expect(effect?.nll).toBeCloseTo((report.judged?.nll ?? NaN) + (effect?.nllChange ?? NaN), 10);
    expect(effect?.half?.kl ?? NaN).toBeLessThan(effect?.kl ?? NaN);
    expect(effect?.column?.kl ?? NaN).toBeGreaterThan(0);
    expect(effect?.row?.kl ?? NaN).toBeGreaterThan(0);
  });

  it("says that there is none where nothing was planted, and where the largest activation sits", async () => {
    const report = await detectPlanted([]);
    expect(report.superWeights).toEqual([]);
    expect(report.finding.text).toMatch(
      /^No super weight: .* The largest activation of the residual stream is .* in layer \d, channel \d+/,
    );
  });

  it("finds six spokes of one column that are worth little alone as together", async () => {
    const rows = [9, 10, 11, 12, 13, 14];
    const report = await detectPlanted(
      neuron(
        1,
        COLUMN,
        BOS_CHANNEL,
        rows.map((row) => [row, 5]),
      ),
    );
    expect(verdicts(report.superWeights).toSorted((a, b) => a[1] - b[1])).toEqual(
      rows.map((row) => [1, row, COLUMN, "together"]),
    );
    const [group] = report.columns;
    expect(group.spokes).toHaveLength(6);
    for (const spoke of report.superWeights)
      expect(klOf(spoke)).toBeLessThan((group.spokesTogether?.kl ?? NaN) / 3);
  });

  it("never calls a late layer that takes back the super activation super", async () => {
    const report = await detectPlanted([...alone, ...neuron(4, 11, ROW, [[ROW, -4]])]);
    expect(verdicts(report.superWeights)).toEqual([[1, ROW, COLUMN, "super"]]);
    const canceller = report.candidates.find(({ layer, row }) => layer === 4 && row === ROW);
    expect(canceller).toMatchObject({ column: 11, verdict: "cancelling" });
    // though its effect is far beyond the null too
    expect(klOf(canceller)).toBeGreaterThan(report.judged?.thresholdKl ?? NaN);
    expect(report.candidates.filter(({ layer }) => layer === 4).map(({ verdict }) => verdict)).not.toContain(
      "super",
    );
  });

  it("finds two weights that feed one channel, the second by what the first one's absence shows", async () => {
    const report = await detectPlanted([
      ...neuron(1, COLUMN, BOS_CHANNEL, [[ROW, 30]]),
      ...neuron(1, 11, BOS_CHANNEL, [[ROW, 28]]),
    ]);
    const places = report.superWeights.map(({ layer, row, column }) => [layer, row, column]);
    expect(places.toSorted((a, b) => a[2] - b[2])).toEqual([
      [1, ROW, COLUMN],
      [1, ROW, 11],
    ]);
    const [pair] = report.pairs;
    expect(pair.both.kl ?? NaN).toBeGreaterThan(Math.max(...pair.alone.map((kl) => kl ?? NaN)));
    expect(report.passes.map(({ zeroed }) => zeroed)).toEqual([[], [pair.first]]);
    for (const { effect } of report.superWeights) {
      expect(effect?.half?.kl ?? NaN).toBeGreaterThan(0);
      expect(effect?.column?.kl ?? NaN).toBeGreaterThan(0);
      expect(effect?.row?.kl ?? NaN).toBeGreaterThan(0);
    }
  });

  it("measures nothing and says so where effects are not asked for", async () => {
    const report = await detectPlanted(alone, { effect: false });
    expect(verdicts(report.superWeights)).toEqual([[1, ROW, COLUMN, "unmeasured"]]);
    expect(report).toMatchObject({ judged: null, pairs: [], columns: [], others: [] });
    expect(report.finding.text).toContain("Effects were not measured.");
  });

  it("says which questions stayed open when the limits cut work short", async () => {
    const rows = [9, 10, 11, 12, 13, 14];
    const spokes = neuron(
      1,
      COLUMN,
      BOS_CHANNEL,
      rows.map((row) => [row, 5]),
    );
    const report = await detectPlanted(spokes, { maxCandidates: 2, maxPasses: 1 });
    expect(report.open).toEqual([
      expect.stringMatching(/^\d weaker candidates were not measured; raise the limit of 2 candidates/),
      expect.stringContaining("the limit is 1 passes"),
    ]);
    expect(report.superWeights.length).toBeLessThanOrEqual(2);
  });

  it("gives every tried weight its place and value, none of them near a candidate", async () => {
    const { others } = await detectPlanted(alone, { nullWeights: 3 });
    expect(others.map(({ chosen }) => chosen)).toEqual([
      ...["random", "random", "random"],
      ...["largest", "largest", "largest"],
    ]);
    for (const { value, kl, tensor, column } of others) {
      expect(Number.isFinite(value) && kl !== null).toBe(true);
      expect(tensor === "model.layers.1.mlp.down_proj.weight" && column === COLUMN).toBe(false);
    }
  });
});
