import { describe, expect, it } from "vitest";
import { KeystoneError } from "#shared/errors.ts";
import { experimentName } from "#shared/lab/index.ts";
import { temporaryFolder } from "../support/syntheticCheckpoint.ts";
import { DEMO } from "./demo.ts";
import { fakeStudio, jobView, type Answers } from "./fakeStudio.ts";
import { start } from "./process.ts";
import { runMain } from "./runMain.ts";

const TEXT = DEMO.text;
const COMMANDS = [
  ...[
    "inspect",
    "fit",
    "detect",
    "eval",
    "compare",
    "diff",
    "generate",
    "sweep",
    "ablate",
    "lab",
    "tasks",
    "export",
    "runs",
    "report",
  ],
  ...["demo", "serve"],
];
const NESTED = [
  ["runs", "show"],
  ...[...experimentName.options, "list", "show", "delete"].map((name) => ["lab", name]),
];

const EXPORT = ["export", "m", "--recipe", "r", "--out", "o", "--format"];

/** Answers of a studio whose jobs end at once with this error. */
function failing(error: KeystoneError): Answers {
  return {
    "job:detect": () => ({ job: "job-1" }),
    "job:list": () => [jobView({ status: "failed", error: error.toData() })],
  };
}

describe("help", () => {
  it("lists every command", async () => {
    const { code, stdout, stderr } = await runMain(["--help"]);
    expect(code).toBe(0);
    expect(stderr).toBe("");
    for (const command of COMMANDS) expect(stdout).toMatch(new RegExp(`^  ${command} `, "m"));
  });

  it.each([...COMMANDS.map((name) => [name]), ...NESTED])(
    "%s %s: every option has its default or is required",
    async (...path) => {
      const { code, stdout } = await runMain([...path.filter(Boolean), "--help"]);
      expect(code).toBe(0);
      const options = stdout
        .slice(stdout.indexOf("Options:"))
        .split(/\n(?= {2}-)/)
        .slice(1);
      expect(options.length).toBeGreaterThan(1);
      for (const option of options)
        expect(option.split("\n\n")[0]?.replace(/\s+/g, " ")).toMatch(/\(default: |default: "|\(required/);
    },
  );

  it("the version is package.json's", async () => {
    const { code, stdout } = await runMain(["--version"]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});

describe("wrong usage", () => {
  it.each([
    [[], /no command was given/],
    [["swep"], /unknown command 'swep'.*Did you mean sweep/],
    [["lab"], /No experiment was named\. Name one of importance, .*keystone lab --list/],
    [["lab", "importanse", "m"], /There is no experiment "importanse"\. Name one of importance/],
    [["lab", "--lst"], /There is no experiment "--lst"/],
    [["lab", "importance"], /missing required argument 'model'/],
    [["lab", "importance", "m", "--factors", "1"], /unknown option '--factors'/],
    [["lab", "sensitivity", "m", "--factors", "1;2"], /numbers with commas/],
    [["lab", "block-scaling", "m", "--bits", "9"], /whole number from 2 to 8/],
    [["lab", "block-scaling", "m", "--blocks", "tensor,,channel"], /words with commas/],
    [["lab", "activations", "m", "--clip", "zscore"], /zscore:9, or mse/],
    [["lab", "threshold-search", "m", "--scope", "layer"], /Allowed choices are model, tensor/],
    [["lab", "threshold-search", "m", "--max-seconds", "0"], /number from 0\.001/],
    [["lab", "show"], /missing required argument 'id'/],
    [["report", "--out", "o.html"], /missing required argument 'run'/],
    [["report", "r"], /required option '--out <file>'/],
    [["report", "r", "--out", "o", "--format", "pdf"], /Allowed choices are html, markdown/],
    [["detect"], /missing required argument 'model'/],
    [["compare", "m"], /nothing to compare with.*--with/],
    [["compare", "m", "--with", "a", "b", "c", "d", "e"], /--with was given 5 times, and 4/],
    [["detect", "m", "extra"], /too many arguments/],
    [["detect", "m", "--promt", "x"], /unknown option '--promt'.*Did you mean --prompt/],
    [["detect", "m", "--prompt"], /'--prompt <text>' argument missing/],
    [["detect", "m", "--max-passes", "0"], /whole number from 1 to 64/],
    [["detect", "m", "--max-passes", "1e3"], /whole number from 1 to 64/],
    [["detect", "m", "--threshold", "50"], /relative:FACTOR or absolute:VALUE/],
    [["detect", "m", "--device", "tpu"], /Allowed choices are auto, cpu, webgpu, cuda, dml, coreml/],
    [["eval", "m"], /required option '--text <file>'/],
    [
      ["eval", "m", "--text", "t", "--windows", "all"],
      /Allowed choices are bos, gptq, rolling, lm-eval, llama.cpp/,
    ],
    [["eval", "m", "--text", "t", "--context", "1"], /whole number from 2 to/],
    [["ablate", "m", "--text", "t", "--scale", "1,,2"], /numbers with commas/],
    [["tasks", "m"], /required option '--tasks <path\.\.\.>'/],
    [["export", "m", "--recipe", "r"], /required option '--out <folder>'/],
    [["export", "m", "--recipe", "r", "--out", "o", "--format", "exe"], /Allowed choices are safetensors/],
    [["runs", "show"], /missing required argument 'run'/],
    [["serve", "--port", "70000"], /whole number from 0 to 65535/],
  ])("%j ends with exit code 2 and one line that names the problem", async (argv, reason) => {
    const { code, stdout, stderr } = await runMain(argv);
    expect(code).toBe(2);
    expect(stdout).toBe("");
    expect(stderr).toMatch(/^error: [^\n]+\n$/);
    expect(stderr).toMatch(reason);
  });

  it.each([
    [["detect", "m", "--no-effect", "--text", "t"], /--text was given with --no-effect/],
    [["export", "m", "--recipe", "r", "--out", "o", "--text", "t"], /--text was given without --verify/],
    [
      [...EXPORT, "gguf", "--max-shard", "1000"],
      /--max-shard was given, but gguf is not cut into shards\. .*safetensors, compressed-tensors, gptq, awq and mlx take it/,
    ],
    [
      [...EXPORT, "onnx", "--kept", "8-bit"],
      /--kept 8-bit was given, but onnx keeps no module at 8 bits\. .*compressed-tensors, gptq, gguf and mlx take it/,
    ],
    [[...EXPORT, "awq", "--kept", "8-bit"], /awq keeps no module at 8 bits/],
    [
      [...EXPORT, "safetensors", "--kept", "unquantized"],
      /safetensors keeps no module unquantized .*compressed-tensors, gptq, awq, gguf and mlx take it/,
    ],
    [
      [...EXPORT, "onnx", "--embedding", "8-bit"],
      /--embedding was given, but onnx leaves embedding and head as they are\. .*gguf takes it/,
    ],
    [["sweep", "m"], /needs a plan/],
    [["lab", "importance", "/nowhere"], /\/nowhere does not exist/],
    [["lab", "importance", import.meta.dirname], /No text was named/],
    [["lab", "importance", "m", "--text", "/nowhere.txt"], /text \/nowhere\.txt does not exist/],
    [
      ["lab", "importance", "m", "--text", TEXT, "--tasks", "/no.jsonl"],
      /task file \/no\.jsonl does not exist/,
    ],
    [
      ["lab", "activations", "m", "--text", TEXT, "--per", "row"],
      /--per, value 1: expected one of token, tensor/,
    ],
    [
      ["lab", "block-scaling", "m", "--text", TEXT, "--blocks", "grop:64"],
      /--granularities, value 1: A granularity is "group:N"/,
    ],
    [
      ["lab", "sensitivity", "m", "--text", TEXT, "--factors", "1,99"],
      /--factors, value 2: expected at most 16/,
    ],
    [["report", "r", "--out", "o.pdf"], /o\.pdf names no format\. End it in \.html or \.md/],
    [
      ["report", "r", "--out", TEXT, "--format", "html"],
      /exists already\. Name another file, or add --overwrite/,
    ],
    [["report", "r", "--out", "/nowhere/o.html"], /folder \/nowhere does not exist/],
    [["sweep", "m", "--plan", "/nowhere/plan.json"], /plan \/nowhere\/plan\.json does not exist/],
  ])("%j is refused before any work starts", async (argv, reason) => {
    const fake = fakeStudio({});
    const { code, stderr } = await runMain(argv, { dependencies: fake });
    expect(code).toBe(2);
    expect(stderr).toMatch(reason);
    expect(fake.asked).toEqual([]);
    expect(fake.closed).toBe(1);
  });
});

describe("failures", () => {
  const broken = new KeystoneError("checkpoint/broken", "The shard is\ncut short.", "Download it again.");

  it("a job's error is one line on stderr, exit code 1, no stack", async () => {
    const { code, stdout, stderr } = await runMain(["detect", "m"], {
      dependencies: fakeStudio(failing(broken)),
    });
    expect({ code, stdout, stderr }).toEqual({
      code: 1,
      stdout: "",
      stderr: "error: The shard is cut short. Download it again.\n",
    });
  });

  it("an error in what was asked for is exit code 2", async () => {
    const wrong = new KeystoneError("recipe/block-does-not-fit", "704 is no multiple of 96.", "Try 64.");
    const { code } = await runMain(["detect", "m", "--json"], { dependencies: fakeStudio(failing(wrong)) });
    expect(code).toBe(2);
  });

  it("a folder that is there names the option that lets an export replace it", async () => {
    const there = new KeystoneError("export/exists", "o exists.", "Allow it to be overwritten.");
    const fake = fakeStudio({
      "job:export": () => {
        throw there;
      },
    });
    const recipe = DEMO.recipe("rtn4-flat16384-z5-restore");
    const argv = ["export", "m", "--recipe", recipe, "--out", "o"];
    const { code, stderr } = await runMain(argv, { dependencies: fake });
    expect([code, stderr]).toEqual([1, "error: o exists. Choose another folder, or add --overwrite.\n"]);
  });

  it("KEYSTONE_DEBUG=1 adds the stack", async () => {
    const { stderr } = await runMain(["detect", "m"], {
      dependencies: fakeStudio(failing(broken)),
      env: { KEYSTONE_DEBUG: "1" },
    });
    expect(stderr).toContain("checkpoint/broken");
    expect(stderr).toMatch(/\n {4}at /);
  });

  it("what nobody foresaw is one line too", async () => {
    const fake = fakeStudio({
      "run:list": () => {
        throw new TypeError("x is not a function");
      },
    });
    const { code, stderr } = await runMain(["runs"], { dependencies: fake });
    expect(code).toBe(1);
    expect(stderr).toMatch(/^error: x is not a function [^\n]+\n$/);
    expect(fake.closed).toBe(1);
  });
});

describe("options", () => {
  it("--device, --workers and --threads are settings of this process, --home its folder", async () => {
    const fake = fakeStudio(failing(new KeystoneError("a/b", "No.", "Stop.")));
    await runMain(["detect", "m", "--device", "webgpu", "--workers", "2", "--threads", "3", "--home", "/h"], {
      dependencies: fake,
    });
    expect(fake.options[0]).toMatchObject({
      home: "/h",
      overrides: { device: "webgpu", workers: 2, threadsPerWorker: 3 },
    });
  });

  it("KEYSTONE_HOME is the folder where --home is not given", async () => {
    const fake = fakeStudio({ "run:list": () => [] });
    await runMain(["runs"], { dependencies: fake, env: { KEYSTONE_HOME: "/k" } });
    expect(fake.options[0]?.home).toBe("/k");
  });

  it("paths start from the folder the command was typed in", async () => {
    const fake = fakeStudio(failing(new KeystoneError("a/b", "No.", "Stop.")));
    await runMain(["detect", "model"], { dependencies: fake, cwd: "/typed/here" });
    expect(fake.asked[0]).toMatchObject({ name: "job:detect", args: { model: "/typed/here/model" } });
  });

  it("runs without any run is an object with an empty list", async () => {
    const { code, json } = await runMain(["runs", "--json"], {
      dependencies: fakeStudio({ "run:list": () => [] }),
    });
    expect(code).toBe(0);
    expect(json()).toEqual({ runs: [] });
  });

  it("Ctrl-C cancels the job and says so; the exit code is 1", async () => {
    let cancelled: () => void = () => undefined;
    let interrupt: () => void = () => undefined;
    const fake = fakeStudio({
      "job:detect": (_args, emit) => {
        cancelled = () =>
          emit({
            type: "job",
            job: jobView({
              status: "cancelled",
              error: new KeystoneError("job/cancelled", "The job was cancelled.", "Start it again.").toData(),
            }),
          });
        return { job: "job-1" };
      },
      "job:list": () => {
        setTimeout(interrupt, 20);
        return [jobView({ status: "running" })];
      },
      "job:cancel": () => {
        cancelled();
        return {};
      },
    });
    const { code, stderr } = await runMain(["detect", "m"], {
      dependencies: fake,
      onStart: (press) => (interrupt = press),
    });
    expect(code).toBe(1);
    expect(stderr).toBe(
      "Cancelling. Ctrl-C again leaves at once.\nerror: The job was cancelled. Start it again.\n",
    );
  });
});

describe("a real process", () => {
  it("ends with the exit code, and prints the reason and nothing else", async () => {
    const home = await temporaryFolder();
    const [usage, failure] = await Promise.all([
      start(["eval", "m"], home).ended,
      start(["inspect", "/nowhere", "--json"], home).ended,
    ]);
    expect(usage).toMatchObject({ code: 2, stdout: "" });
    expect(usage.stderr).toMatch(/^error: required option '--text <file>'[^\n]+\n$/);
    expect(failure).toMatchObject({ code: 1, stdout: "" });
    expect(failure.stderr).toMatch(/^error: \/nowhere does not exist[^\n]+\n$/);
  });
});
