import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { expectSum, float32Bound } from "../support/rounding.ts";
import { summaryRow, withRow } from "../../scripts/peers/docs.ts";
import { apart, logarithmsOf, perplexity } from "../../scripts/peers/logits.ts";
import { failuresOf, type Check } from "../../scripts/peers/peer.ts";

const RUNNER = join(import.meta.dirname, "..", "..", "scripts", "peers", "index.ts");

/** Runs `npm run peers -- …` where neither Python nor npm is to be found. */
function runWithNothing(args: readonly string[], PYTHON = "") {
  const empty = mkdtempSync(join(tmpdir(), "keystone-peers-test-"));
  onTestFinished(() => rmSync(empty, { recursive: true, force: true }));
  return spawnSync(process.execPath, ["--disable-warning=ExperimentalWarning", RUNNER, ...args], {
    encoding: "utf8",
    env: { ...process.env, PYTHON, PATH: empty, TMPDIR: empty },
  });
}

const check: Check = {
  subject: "demo, Q4_0",
  arithmetic: "float32",
  logits: 1e-6,
  logitTolerance: 1e-4,
  perplexity: { ours: 10, theirs: 10.01 },
  perplexityTolerance: 5e-3,
};

describe("npm run peers", () => {
  it("says NOT RUN and why, and fails, where a peer's program is not there", () => {
    const { status, stdout } = runWithNothing(["gguf"]);
    expect(status).toBe(1);
    expect(stdout).toMatch(/\| gguf \| NOT RUN \| There is no python3 to run it with/);
    expect(stdout).not.toMatch(/agrees/);
  });

  it("says FAILED, and fails, where the interpreter it is given cannot run a peer", () => {
    const { status, stdout } = runWithNothing(["autoawq"], "/no/such/python");
    expect(status).toBe(1);
    expect(stdout).toMatch(/\| autoawq \| FAILED \|/);
  });

  it("refuses a peer that it does not know with the names of those it does, and runs nothing", () => {
    const { status, stdout, stderr } = runWithNothing(["gguf", "llama"]);
    expect(status).toBe(2);
    expect(stderr).toMatch(/no peer llama\.\n[^]*Peers: .*gguf.*onnx.*packed/);
    expect(stdout).toBe("");
  });

  it("says how it is used where that is asked, and where an option is none", () => {
    const help = runWithNothing(["--help"]);
    expect([help.status, help.stderr]).toEqual([0, ""]);
    expect(help.stdout).toMatch(/^Usage: .*\nPeers: .*gguf/);
    const wrong = runWithNothing(["gguf", "--wirte"]);
    expect([wrong.status, wrong.stdout]).toEqual([2, ""]);
    expect(wrong.stderr).toMatch(/^There is no option --wirte\.\nUsage: /);
  });
});

describe("what a peer is held to", () => {
  it("passes within its bounds", () => {
    expect(failuresOf(check)).toEqual([]);
  });

  it.each<[string, Partial<Check>, RegExp]>([
    ["logits beyond their bound", { logits: 2e-4 }, /logits differ by 0\.0002/],
    ["logits that are NaN", { logits: NaN }, /logits differ by NaN/],
    ["a bound that is NaN", { logitTolerance: NaN }, /more than NaN/],
    ["a perplexity 0.6 % off", { perplexity: { ours: 10, theirs: 10.06 } }, /perplexities 10 and 10\.06/],
    ["a perplexity that is NaN", { perplexity: { ours: 10, theirs: NaN } }, /perplexities 10 and NaN/],
  ])("fails on %s", (_name, change, sentence) => {
    const failures = failuresOf({ ...check, ...change });
    expect(failures).toHaveLength(1);
    expect(failures[0]).toMatch(sentence);
  });

  it("takes logits of another number, or with a NaN, for different", () => {
    const ours = Float32Array.of(1, -4, 2);
    expect(apart(ours, Float32Array.of(1, -4, 3))).toBe(0.25);
    expect(apart(ours, Float32Array.of(1, -4))).toBeNaN();
    expect(apart(ours, Float32Array.of(1, NaN, 2))).toBeNaN();
  });

  it("scores log-probabilities as it scores logits", () => {
    const logits = Float32Array.of(1, 2, 3, 0, 5, -1, 2, 2, 2);
    const windows = [[0, 1, 2]];
    const logarithms = logarithmsOf(logits, 3);
    const [total, same] = [float32Bound({ magnitude: 1, terms: 3 }), perplexity(logits, windows, 3)];
    expectSum(Math.exp(logarithms[0]) + Math.exp(logarithms[1]) + Math.exp(logarithms[2]), 1, total);
    // a logarithm's rounding is a share of the perplexity
    expectSum(perplexity(logarithms, windows, 3), same, same * float32Bound({ magnitude: 5, terms: 3 }));
  });
});

describe("the table of all peers", () => {
  const report = {
    versions: { "llama.cpp": "v1" },
    text: "",
    failures: [],
    checks: [
      check,
      { ...check, logits: 5e-5, perplexity: { ours: 10, theirs: 10 } },
      { ...check, arithmetic: "float16" },
    ],
  };
  const row = summaryRow({ title: "llama.cpp", section: "gguf.md#held" }, report);

  it("shows for each arithmetic what came nearest to its bound", () => {
    expect(row).toEqual([
      "[llama.cpp](gguf.md#held)",
      "llama.cpp v1",
      "float32 (2)<br>float16 (1)",
      "5.0e-5 (0.0001)<br>1.0e-6 (0.0001)",
      "1.0e-3 (0.005)<br>1.0e-3 (0.005)",
    ]);
    expect(summaryRow({ title: "vLLM", section: "peers.md#vllm" }, report)[0]).toBe("[vLLM](#vllm)");
  });

  it("replaces a peer's own row and keeps the others'", () => {
    const other = ["[vLLM](#vllm)", "vllm 1", "float16 (3)", "1.0e-3 (0.02)", "1.0e-4 (0.005)"];
    const both = withRow(withRow("", other), row);
    const again = withRow(both, ["[llama.cpp](gguf.md#held)", "llama.cpp v2", "float32 (1)", "a", "b"]);
    expect(again.split("\n").slice(2)).toEqual([
      "| [llama.cpp](gguf.md#held) | llama.cpp v2 | float32 (1) | a | b |",
      `| ${other.join(" | ")} |`,
    ]);
  });
});
