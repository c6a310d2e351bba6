import { describe, expect, it } from "vitest";
import { currentStep, hintOf, stepsOf, type GuideFacts } from "./steps.ts";

const NOTHING: GuideFacts = {
  model: null,
  searched: false,
  searching: false,
  run: null,
  compared: false,
  exported: null,
  verified: false,
};
const RUN = { id: "r", status: "done", done: 8, total: 8 } as const;

describe("the first steps", () => {
  it("go from an opened model to a verified file, one after the other", () => {
    const way: [Partial<GuideFacts>, ReturnType<typeof currentStep>][] = [
      [{}, "open"],
      [{ model: "demo" }, "find"],
      [{ searched: true }, "sweep"],
      [{ run: RUN }, "compare"],
      [{ compared: true }, "export"],
      [{ exported: "/out" }, "verify"],
      [{ verified: true }, null],
    ];
    let facts = NOTHING;
    way.forEach(([change, step], i) => {
      facts = { ...facts, ...change };
      expect(currentStep(facts)).toBe(step);
      expect(stepsOf(facts).filter(({ done }) => done)).toHaveLength(i);
    });
    expect(hintOf(facts)).toContain("/out");
  });

  it("count a sweep only once it has ended with variants to compare", () => {
    const facts = { ...NOTHING, model: "demo", searched: true };
    expect(currentStep({ ...facts, run: { ...RUN, status: "running", done: 3 } })).toBe("sweep");
    expect(hintOf({ ...facts, run: { ...RUN, status: "running", done: 3 } })).toBe("3 of 8 variants scored.");
    expect(currentStep({ ...facts, run: { ...RUN, status: "failed", done: 1 } })).toBe("sweep");
    expect(currentStep({ ...facts, run: { ...RUN, status: "cancelled", done: 2 } })).toBe("compare");
  });

  it("end with the verified file, whatever was left out on the way", () => {
    expect(currentStep({ ...NOTHING, model: "demo", exported: "/out", verified: true })).toBeNull();
    expect(currentStep({ ...NOTHING, model: "demo", run: RUN })).toBe("find");
  });
});
