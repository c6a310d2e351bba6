import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { ProgressMeter } from "#studio/jobs/progressMeter.ts";

const recording = z.object({
  seconds: z.number(),
  rows: z.array(z.tuple([z.number(), z.number(), z.number(), z.string()])),
});
/** From this share of the work on, the time left is held to what it took. */
const FROM = 0.2;
const WITHIN = 0.3;
/** Reports lie up to a second apart: no closer is asked at the end. */
const SECOND = 1;

const { seconds, rows } = recording.parse(
  JSON.parse(readFileSync(join(import.meta.dirname, "../golden/progress/smollm2-sweep.json"), "utf8")),
);
/** The stages that the sweep names beside its phases. */
const stageOf = (phase: string): string => (/variants/.test(phase) ? "variants" : phase);

describe("a recorded sweep of SmolLM2-135M", () => {
  it("counts from nothing to all, once, over every stage", () => {
    const done = rows.map(([, at]) => at);
    expect([done[0], done.at(-1)]).toEqual([0, rows.at(-1)?.[2]]);
    const stages = [...new Set(rows.map(([, , , phase]) => stageOf(phase)))];
    expect(stages).toEqual(["finding the super weights", "scoring the original", "variants"]);
  });

  it("says how long it still takes to within 30 %, from a fifth of the work on to the end", () => {
    let now = 0;
    const meter = new ProgressMeter(() => now);
    let held = 0;
    for (const [at, done, total, phase] of rows) {
      now = at;
      const { secondsLeft } = meter.update(done, total, stageOf(phase));
      const left = seconds - at;
      if (done < FROM * total) continue;
      const off = Math.abs((secondsLeft ?? NaN) - left);
      expect(
        off <= Math.max(SECOND, WITHIN * left),
        `after ${at} s: ${secondsLeft} s, and ${left} s it took`,
      ).toBe(true);
      held++;
    }
    expect(held).toBeGreaterThan(100);
  });
});
