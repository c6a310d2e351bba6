import { describe, expect, it } from "vitest";
import { experimentName, labRequest, type ExperimentName } from "#shared/lab/index.ts";
import {
  compose,
  defaultEntries,
  newSetup,
  readSetup,
  withWindows,
  type Entry,
  type Setup,
} from "./setup.ts";

const form = (values: Partial<Setup> = {}): Setup => ({
  ...newSetup(),
  text: "/texts/eval.jsonl",
  calibration: "/texts/calibration.jsonl",
  ...values,
});
const withEntries = (experiment: ExperimentName, entries: Record<string, Entry>): Setup => {
  const base = form();
  return form({
    entries: { ...base.entries, [experiment]: { ...base.entries[experiment], ...entries } },
  });
};

describe("a form as it opens", () => {
  it.each(experimentName.options)("asks %s with the schema's own defaults", (experiment) => {
    const { request } = compose(form({ tokens: "" }), experiment);
    expect(request).toEqual({
      ...labRequest.parse({ experiment, text: "/texts/eval.jsonl" }),
      calibration: request?.calibration,
      taskLimit: ["importance", "sensitivity", "block-scaling", "activations"].includes(experiment)
        ? 200
        : null,
    });
  });

  it("cuts the text for those alone that score it", () => {
    const cut = experimentName.options.filter(
      (experiment) => compose(form({ tokens: "60" }), experiment).request?.judge.tokens === 60,
    );
    const prompted = ["super-activations", "token-probabilities"];
    expect(cut).toEqual(experimentName.options.filter((name) => !prompted.includes(name)));
  });

  it("gives the calibration text to those alone that choose something on it", () => {
    const calibrated = experimentName.options.filter(
      (experiment) => compose(form(), experiment).request?.calibration !== null,
    );
    expect(calibrated).toEqual(["block-scaling", "activations", "threshold-search"]);
  });

  it("gives tasks to those alone whose rows answer them", () => {
    const answering = experimentName.options.filter(
      (experiment) => compose(form({ tasks: ["/tasks.jsonl"] }), experiment).request?.tasks.length === 1,
    );
    expect(answering).toEqual(["importance", "sensitivity", "block-scaling", "activations"]);
  });
});

describe("what is written", () => {
  it("is read as numbers, with commas, spaces and a true minus between and before them", () => {
    const { request } = compose(withEntries("sensitivity", { factors: "0, 0.5;1  −2" }), "sensitivity");
    expect(request).toMatchObject({ factors: [0, 0.5, 1, -2] });
  });

  it("keeps an option's own kind: bits are numbers, methods are words", () => {
    const set = withEntries("threshold-search", { bits: "3", methods: ["mse", "iqr"], maxTrials: "1,000" });
    expect(compose(set, "threshold-search").request).toMatchObject({
      bits: 3,
      methods: ["mse", "iqr"],
      maxTrials: 1000,
    });
  });

  it("holds one prompt a line, without empty ones", () => {
    const set = withEntries("super-activations", { prompts: " Once upon a time \n\nThe end." });
    expect(compose(set, "super-activations").request).toMatchObject({
      prompts: ["Once upon a time", "The end."],
    });
  });

  it("asks the MSE clip without a threshold", () => {
    const set = withEntries("activations", { range: { method: "mse", threshold: "9" } });
    expect(compose(set, "activations").request).toMatchObject({ range: { method: "mse" } });
  });
});

describe("what is wrong", () => {
  it.each<[ExperimentName, string, Entry, RegExp]>([
    ["sensitivity", "factors", "0, x", /From −16 to 16/],
    ["sensitivity", "factors", "17", /From −16 to 16/],
    ["sensitivity", "factors", "", /at most 64/],
    ["block-scaling", "granularities", "flat:16384, rows", /group:N, channel, tensor/],
    ["block-scaling", "bits", [], /at least one/],
    ["activations", "alphas", "1.5", /From 0 to 1/],
    ["activations", "range", { method: "block-percentage", threshold: "2" }, /fraction from 0 to 1/],
    ["token-probabilities", "promptCount", "5001", /1 to 5,000/],
    ["threshold-search", "maxTrials", "2.5", /whole number/],
  ])("%s names the valid values of %s for %j", (experiment, key, entry, words) => {
    const { request, problems } = compose(withEntries(experiment, { [key]: entry }), experiment);
    expect(request).toBeNull();
    expect(Object.keys(problems ?? {})).toEqual([key]);
    expect(problems?.[key]).toMatch(words);
  });

  it("is a missing text", () => {
    expect(compose(form({ text: null }), "importance").problems).toEqual({
      text: "Choose the text that is scored.",
    });
  });

  it("is choosing thresholds on the text that judges them", () => {
    const both = form({ calibration: "/texts/eval.jsonl" });
    expect(compose(both, "block-scaling").problems?.["calibration"]).toMatch(/two different ones/);
    expect(compose(both, "importance").problems).toBeNull();
  });

  it("is no calibration text where something is chosen on it, and only there", () => {
    const none = (experiment: ExperimentName, entries: Record<string, Entry> = {}) =>
      compose({ ...withEntries(experiment, entries), calibration: null }, experiment).problems;
    expect(none("block-scaling")?.["calibration"]).toMatch(/choose one\.$/);
    expect(none("threshold-search")?.["calibration"]).toMatch(
      /or search each tensor by the error of its weights/,
    );
    expect(none("threshold-search", { scope: "tensor", by: "output-error" })).not.toBeNull();
    expect(none("threshold-search", { scope: "tensor", by: "weight-error" })).toBeNull();
    expect(none("activations")).toBeNull();
  });

  it("is a context beyond what the model knows, with the most it knows", () => {
    expect(compose(form({ context: "4096" }), "importance", 192).problems).toEqual({
      context: "A whole number from 2 to 192, as many as the model knows.",
    });
  });
});

describe("how rows are joined", () => {
  it("is asked for only where it is not usual for the windows", () => {
    const judged = (windows: Partial<Setup>) => compose(form(windows), "importance").request;
    expect(judged(withWindows("gptq"))).toMatchObject({ judge: { windows: "gptq" } });
    expect(judged(withWindows("gptq", "blank-line"))).not.toHaveProperty("judge.join");
    expect(judged(withWindows("rolling", "articles"))).toMatchObject({
      judge: { windows: "rolling", join: "articles" },
    });
  });
});

describe("a kept form", () => {
  it("of a time when rows could not be joined is read", () => {
    const kept = form({});
    expect(readSetup(JSON.stringify({ ...kept, join: undefined }))).toEqual(kept);
  });
  it("comes back as it was", () => {
    const kept = form({ tasks: ["/a.jsonl"], windows: "gptq" });
    expect(readSetup(JSON.stringify(kept))).toEqual(kept);
  });
  it("of another shape counts as none", () => {
    expect(readSetup(JSON.stringify({ text: "/a" }))).toBeNull();
    expect(readSetup("not JSON")).toBeNull();
    expect(readSetup(null)).toBeNull();
  });
});

it("writes defaults that are read back as the same", () => {
  for (const experiment of experimentName.options) {
    const entries = defaultEntries(experiment);
    expect(newSetup().entries[experiment]).toEqual(entries);
  }
});
