import { describe, expect, it } from "vitest";
import { expectSum, float64Bound } from "../../../test/support/rounding.ts";
import { ProgressMeter } from "./progressMeter.ts";

function meterAt(): { meter: ProgressMeter; clock: { now: number } } {
  const clock = { now: 0 };
  return { meter: new ProgressMeter(() => clock.now), clock };
}

describe("ProgressMeter", () => {
  it("says nothing until enough was timed", () => {
    const { meter, clock } = meterAt();
    meter.start(0);
    clock.now = 0.2;
    expect(meter.update(50, 100)).toEqual({ rate: null, secondsLeft: null });
  });

  it("gives the rate and the time left of steady work", () => {
    const { meter, clock } = meterAt();
    meter.start(0);
    let pace = meter.update(0, 100);
    for (clock.now = 1; clock.now <= 10; clock.now++) pace = meter.update(clock.now * 2, 100);
    expectSum(pace.rate, 2, float64Bound({ magnitude: 2, terms: 10 }));
    expectSum(pace.secondsLeft, 40, float64Bound({ magnitude: 40, terms: 10 }));
  });

  it("does not count what was there before the start", () => {
    const { meter, clock } = meterAt();
    meter.start(90);
    let pace = meter.update(90, 100);
    for (clock.now = 1; clock.now <= 4; clock.now++) pace = meter.update(90 + clock.now, 100);
    expectSum(pace.rate, 1, float64Bound({ magnitude: 1, terms: 10 }));
  });

  it("does not count a pause", () => {
    const { meter, clock } = meterAt();
    meter.start(0);
    for (clock.now = 1; clock.now <= 4; clock.now++) meter.update(clock.now, 100);
    clock.now = 1000;
    meter.start(4);
    clock.now = 1001;
    expectSum(meter.update(5, 100).rate, 1, float64Bound({ magnitude: 1, terms: 10 }));
  });

  it("times a count that begins again from its beginning, and not one that is corrected", () => {
    const { meter, clock } = meterAt();
    for (clock.now = 0; clock.now <= 10; clock.now++) meter.update(clock.now * 9, 100);
    clock.now = 20;
    expect(meter.update(2, 100)).toEqual({ rate: null, secondsLeft: null });
    for (clock.now = 21; clock.now <= 24; clock.now++) meter.update(clock.now - 18, 100);
    expectSum(meter.update(5.5, 100).rate, 1, float64Bound({ magnitude: 1, terms: 10 }));
  });

  it("has no time left where all is done, whatever was timed", () => {
    expect(meterAt().meter.update(3, 3)).toEqual({ rate: null, secondsLeft: 0 });
  });

  it("tells what a stage takes from the stage itself as soon as it can", () => {
    const { meter, clock } = meterAt();
    let pace = meter.update(0, 100, "first");
    for (clock.now = 1; clock.now <= 30; clock.now++) pace = meter.update(clock.now, 100, "first");
    expectSum(pace.rate, 1, float64Bound({ magnitude: 1, terms: 60 }));
    let done = 30;
    for (; clock.now <= 38; clock.now++) pace = meter.update((done += 0.25), 100, "second");
    expect(pace.rate).toBeGreaterThan(0.25);
    expect(pace.rate).toBeLessThan(0.25 * 1.5);
  });

  it("follows a change of pace within a few windows", () => {
    const { meter, clock } = meterAt();
    meter.start(0);
    let done = 0;
    for (clock.now = 1; clock.now <= 60; clock.now++) meter.update((done += 10), 1e6);
    let pace = meter.update(done, 1e6);
    for (; clock.now <= 120; clock.now++) pace = meter.update((done += 1), 1e6);
    expect(pace.rate).toBeGreaterThan(0.99);
    expect(pace.rate).toBeLessThan(1.5);
  });
});
