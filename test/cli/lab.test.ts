import { textsOf } from "#shared/notes.ts";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import {
  experimentName,
  labReport,
  labRequest,
  type ExperimentName,
  type LabReport,
  type LabRequest,
  type LabRequestInput,
} from "#shared/lab/index.ts";
import { cancelledError } from "#shared/errors.ts";
import { unfinishedReport } from "#shared/lab/reports/unfinished.ts";
import { repeatLab } from "#shared/repeat/repeat.ts";
import { keptExperiment } from "../support/reportSource.ts";
import { LAB_REPORTS, labReportOf } from "../support/labReports.ts";
import { madeUpRun } from "../support/madeUp/run.ts";
import { temporaryFolder } from "../support/syntheticCheckpoint.ts";
import { DEMO } from "./demo.ts";
import { fakeStudio, jobView, type Fake } from "./fakeStudio.ts";
import { runMain } from "./runMain.ts";

const CALIBRATION = join(DEMO.folder, "calibration.jsonl");

/** A studio in which an experiment tells these reports and ends with the last. */
function studioWith(...told: LabReport[]): Fake {
  const report = told.at(-1);
  return fakeStudio({
    "job:lab": (_args, emit) => {
      setTimeout(() => {
        for (const partial of told) emit({ type: "lab-report", job: "job-1", report: partial });
        emit({ type: "job", job: jobView({ kind: "lab" }) });
      });
      return { job: "job-1" };
    },
    "job:list": () => [],
    "job:result": () => ({ kind: "lab", id: "lab-1", report }),
  });
}

const askedFor = (fake: Fake): LabRequest =>
  labRequest.parse((fake.asked.find(({ name }) => name === "job:lab")?.args as { request: unknown }).request);

describe("keystone lab EXPERIMENT MODEL", () => {
  it("takes text and calibration from beside the model, and everything else at its default", async () => {
    for (const { experiment } of LAB_REPORTS) {
      const fake = studioWith(labReportOf(experiment));
      const { code, stderr } = await runMain(["lab", experiment, DEMO.model, "--json"], {
        dependencies: fake,
      });
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
      const chooses = ["block-scaling", "activations", "threshold-search"].includes(experiment);
      const calibration = chooses ? CALIBRATION : null;
      expect(askedFor(fake)).toEqual(labRequest.parse({ experiment, text: DEMO.text, calibration }));
    }
  });

  it("prints what a cancelled experiment had measured, and then that it was cancelled", async () => {
    const whole = labReportOf("importance");
    const report = unfinishedReport({ ...whole, complete: false, reached: { done: 3, of: 5, unit: "row" } });
    if (report === null) throw new Error("nothing was measured");
    const cancelled = jobView({ kind: "lab", status: "cancelled", error: cancelledError().toData() });
    const fake = fakeStudio({
      "job:lab": (_args, emit) => {
        setTimeout(() => emit({ type: "job", job: cancelled }));
        return { job: "job-1" };
      },
      "job:list": () => [],
      "job:result": () => ({ kind: "lab", id: "lab-1", report }),
    });
    const { code, stdout, stderr } = await runMain(["lab", "importance", DEMO.model], { dependencies: fake });
    expect(code).toBe(1);
    expect(stdout).toContain("Stopped after 3 of 5 rows.");
    expect(stdout).toContain("Kept as lab-1");
    expect(stderr).toContain("The job was cancelled.");
  });

  it("--json prints the report and the id it is kept by", async () => {
    const report = labReportOf("importance");
    const { json } = await runMain(["lab", "importance", DEMO.model, "--json"], {
      dependencies: studioWith(report),
    });
    expect(json()).toMatchObject({ id: "lab-1", experiment: "importance" });
    const printed = json() as object;
    expect(labReport.parse({ ...printed, finding: report.finding, notes: report.notes })).toEqual(report);
    expect(printed).toMatchObject({
      finding: report.finding.text,
      findingCode: report.finding.code,
      notes: textsOf(report.notes),
      noteCodes: report.notes.map(({ code }) => code),
    });
  });

  it("people get the finding first, then the tables of the figures once each, the notes and where it is kept", async () => {
    const { stdout } = await runMain(["lab", "sensitivity", DEMO.model], {
      dependencies: studioWith(labReportOf("sensitivity")),
    });
    expect(stdout).toMatch(
      /^Sensitivity \(Figure 6\): A finding with its numbers\.\nSuper weights: layer 1 \[137, 401\]\. /,
    );
    expect(stdout).toMatch(/^× 0 +11,953,626 +15\.6600 +90\.0% +31\.0% +0\.0% +15\.5%$/m);
    expect(stdout).toMatch(/^× 0\.8 +not finite/m);
    expect(stdout.match(/^× 1\.5 +1\.8/gm)).toHaveLength(1);
    expect(stdout.match(/^× 1\.5 +mean +87\.5% /gm)).toHaveLength(1);
    expect(stdout).toContain("Note: One thing the reader must know.");
    expect(stdout).toMatch(/Kept as lab-1\. keystone report lab-1 --out report\.html/);
  });

  it("shows each point once as it arrives, on a terminal only", async () => {
    const whole = labReportOf("sensitivity");
    const told = [1, 2, 3].map((n) => ({ ...whole, complete: false, points: whole.points.slice(0, n) }));
    const onTerminal = await runMain(["lab", "sensitivity", DEMO.model], {
      dependencies: studioWith(...told, whole),
      terminal: true,
    });
    const lines = onTerminal.stderr.split("\n").filter((line) => line.startsWith("×"));
    expect(lines).toHaveLength(whole.points.length);
    expect(lines[0]).toMatch(/^× 0: perplexity 11,953,626\.0000, KL 15\.6600/);
    const piped = await runMain(["lab", "sensitivity", DEMO.model], {
      dependencies: studioWith(...told, whole),
    });
    expect(piped.stderr).toBe("");
  });

  it.each([
    ["super-activations", /^layer 0, largest value: original [\d.,]+, without super weights /m],
    ["token-probabilities", /^\d+ prompts?: stop words [\d.]+% to [\d.]+% of the probability, KL /m],
  ] as const)("%s shows how far it has come, too", async (experiment, line) => {
    const whole = labReportOf(experiment);
    const { stderr } = await runMain(["lab", experiment, DEMO.model], {
      dependencies: studioWith({ ...whole, complete: false }, whole),
      terminal: true,
    });
    expect(stderr).toMatch(line);
  });

  it("shows a line for each layer that is done, and none for those to come", async () => {
    const whole = labReportOf("super-activations");
    const states = whole.states.map((state) => ({
      ...state,
      peaks: state.peaks.map((prompt) => prompt.slice(0, 2)),
    }));
    const { stderr } = await runMain(["lab", "super-activations", DEMO.model], {
      dependencies: studioWith({ ...whole, complete: false, states }),
      terminal: true,
    });
    expect(stderr.split("\n").filter((line) => line.startsWith("layer "))).toHaveLength(2);
  });

  it.each(LAB_REPORTS.map((report) => [report.experiment, report] as const))(
    "%s has a table for people and lines for a terminal",
    async (experiment, report) => {
      const { code, stdout, stderr } = await runMain(["lab", experiment, DEMO.model], {
        dependencies: studioWith(report),
        terminal: true,
      });
      expect(code).toBe(0);
      expect(stdout.split("\n").length).toBeGreaterThan(8);
      for (const text of [stdout, stderr]) expect(text).not.toMatch(/undefined|NaN|\[object/);
    },
  );
});

describe("what means nothing to an experiment", () => {
  const ALL = experimentName.options;
  const without = (...taking: ExperimentName[]) => ALL.filter((name) => !taking.includes(name));
  const choosing = ["block-scaling", "activations", "threshold-search"] as const;
  const REFUSED: [words: string[], by: ExperimentName[]][] = [
    [["--tasks", DEMO.tasksChoice], without("importance", "sensitivity", "block-scaling", "activations")],
    [["--calibration", CALIBRATION], without(...choosing)],
    [["--tokens", "60"], without("importance", "sensitivity", ...choosing)],
    [["--context", "64"], without("importance", "sensitivity", ...choosing)],
    [["--stride", "9"], without("importance", "sensitivity", ...choosing)],
    [["--windows", "bos"], without("importance", "sensitivity", ...choosing)],
  ];
  it.each(REFUSED)(
    "%j is refused by %j with those that take it, and is in no help of theirs",
    async (words, refusing) => {
      const option = words[0] ?? "";
      for (const experiment of ALL) {
        const fake = studioWith(labReportOf(experiment));
        const { code, stderr } = await runMain(["lab", experiment, DEMO.model, ...words], {
          dependencies: fake,
        });
        const { stdout: help } = await runMain(["lab", experiment, "--help"]);
        const refuses = refusing.includes(experiment);
        expect({ experiment, code, named: help.includes(`${option} `) }).toEqual({
          experiment,
          code: refuses ? 2 : 0,
          named: !refuses,
        });
        if (!refuses) continue;
        expect(stderr).toMatch(new RegExp(`^error: ${option} has no meaning here: ${experiment} `));
        expect(stderr).toMatch(/it is taken by .*block-scaling/);
        expect(fake.asked).toEqual([]);
      }
    },
  );

  it.each([
    [["threshold-search", DEMO.model, "--by", "output-error"], /--by has no meaning here.*--scope tensor/],
    [["importance", DEMO.model, "--task-limit", "3"], /--task-limit has no meaning here: no tasks/],
  ])("%j is refused", async (argv, words) => {
    const { code, stderr } = await runMain(["lab", ...argv], { dependencies: fakeStudio({}) });
    expect(code).toBe(2);
    expect(stderr).toMatch(words);
  });
});

/** Requests that differ from the defaults in every field. */
const REQUESTS: LabRequestInput[] = [
  { experiment: "importance", text: DEMO.text, tasks: [DEMO.tasksChoice, DEMO.tasksLastWord], taskLimit: 7 },
  {
    experiment: "super-activations",
    text: DEMO.text,
    prompts: ["It's 5 o'clock.", 'A "second"\nwith two lines'],
  },
  {
    experiment: "token-probabilities",
    text: DEMO.text,
    promptCount: 5,
  },
  {
    experiment: "sensitivity",
    text: DEMO.text,
    factors: [-1, 0, 0.25, 1],
    judge: { context: 64, tokens: 100, windows: "rolling", stride: 9 },
  },
  {
    experiment: "block-scaling",
    text: DEMO.text,
    calibration: CALIBRATION,
    bits: [3, 2],
    granularities: ["tile:8x16", "group:64"],
    thresholds: [4.5, 9],
  },
  {
    experiment: "activations",
    text: DEMO.text,
    calibration: CALIBRATION,
    per: ["tensor"],
    matmuls: true,
    alphas: [0.5, 1],
    range: { method: "iqr", threshold: 3 },
  },
  { experiment: "activations", text: DEMO.text, calibration: CALIBRATION, range: { method: "mse" } },
  {
    experiment: "threshold-search",
    text: DEMO.text,
    calibration: CALIBRATION,
    bits: 3,
    granularity: "flat:4096",
    thresholds: [3],
    methods: ["iqr", "tensor-percentage"],
    scope: "tensor",
    by: "output-error",
    maxTrials: 12,
    maxSeconds: 90.5,
  },
];

describe("the command that a report prints", () => {
  it.each(REQUESTS.map((request) => [request.experiment, labRequest.parse(request)] as const))(
    "asks for the same %s again",
    async (experiment, request) => {
      const folder = await temporaryFolder();
      const { files, argv } = repeatLab(request, DEMO.model);
      for (const { name, content } of files) await writeFile(join(folder, name), content);
      const fake = studioWith(labReportOf(experiment));
      const { code, stderr } = await runMain(argv.slice(1), { dependencies: fake, cwd: folder });
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
      expect(askedFor(fake)).toEqual(request);
    },
  );

  it("leaves out what means nothing to the experiment, so that the command is taken", () => {
    const idle = { text: "/t.txt", tasks: ["/a.jsonl"], taskLimit: 3, judge: { tokens: 100 } };
    const argvOf = (request: LabRequestInput) => repeatLab(labRequest.parse(request), "/m").argv.slice(3);
    const prompts = ["One."];
    expect(argvOf({ experiment: "super-activations", ...idle, prompts, promptCount: 3 })).toEqual([
      ...["/m", "--text", "/t.txt", "--prompts-file", "prompts.jsonl"],
    ]);
    expect(argvOf({ experiment: "threshold-search", ...idle, by: "output-error" })).toEqual([
      ...["/m", "--text", "/t.txt", "--tokens", "100"],
    ]);
    expect(argvOf({ experiment: "sensitivity", text: "/t.txt", taskLimit: 3 })).toEqual([
      ...["/m", "--text", "/t.txt"],
    ]);
  });

  it("leaves out what is at its default", () => {
    const request = labRequest.parse({ experiment: "sensitivity", text: "/t.txt" });
    expect(repeatLab(request, "/m").argv.join(" ")).toBe("keystone lab sensitivity /m --text /t.txt");
  });
});

describe("prompts", () => {
  const ask = async (name: string, content: string, ...more: string[]) => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, name), content);
    const fake = studioWith(labReportOf("super-activations"));
    const outcome = await runMain(["lab", "super-activations", DEMO.model, "--prompts-file", name, ...more], {
      dependencies: fake,
      cwd: folder,
    });
    return { fake, ...outcome };
  };

  it("are the lines of a text file, or the texts of a .jsonl file", async () => {
    const plain = await ask("p.txt", "One.\r\n\nTwo.\n");
    expect(askedFor(plain.fake)).toMatchObject({ prompts: ["One.", "Two."] });
    const lines = await ask("p.jsonl", '{"text": "One\\ntwo."}\n');
    expect(askedFor(lines.fake)).toMatchObject({ prompts: ["One\ntwo."] });
  });

  it("are all of a file, however many are taken from a text, unless a number is given", async () => {
    const twelve = Array.from({ length: 12 }, (_, i) => `Prompt ${i}.`);
    const all = await ask("p.txt", twelve.join("\n"));
    expect(askedFor(all.fake)).toMatchObject({ prompts: twelve });
    for (const count of [2, 8]) {
      const some = await ask("p.txt", twelve.join("\n"), "--prompt-count", String(count));
      expect(askedFor(some.fake)).toMatchObject({ prompts: twelve.slice(0, count) });
    }
  });

  it("that cannot be read are refused with the line", async () => {
    expect(await ask("p.txt", "\n \n")).toMatchObject({ code: 2 });
    const broken = await ask("p.jsonl", '{"text": "One."}\n{"prompt": 1}\n');
    expect(broken.code).toBe(2);
    expect(broken.stderr).toMatch(/has no \{"text": …\} in its line 2/);
  });
});

describe("kept experiments", () => {
  const kept = LAB_REPORTS.map((report) => keptExperiment(report));
  const fake = fakeStudio({
    "lab:list": () => kept.map(({ summary }) => summary),
    "lab:get": (args) => kept.find(({ summary }) => summary.id === (args as { id: string }).id),
    "lab:delete": () => ({}),
  });

  it("are listed, shown and deleted", async () => {
    const list = await runMain(["lab", "list"], { dependencies: fake });
    expect(list.stdout).toMatch(/^sensitivity +lab-sensitivity +2026-01-02 03:04 +demo +A finding/m);
    const shown = await runMain(["lab", "show", "lab-sensitivity", "--json"], { dependencies: fake });
    expect(shown.json()).toMatchObject({ id: "lab-sensitivity", experiment: "sensitivity" });
    expect((await runMain(["lab", "show", "lab-sensitivity"], { dependencies: fake })).stdout).toMatch(
      /^Sensitivity/,
    );
    const deleted = await runMain(["lab", "delete", "lab-sensitivity", "--json"], { dependencies: fake });
    expect(deleted.json()).toEqual({ deleted: "lab-sensitivity" });
    expect(fake.asked.at(-1)).toEqual({ name: "lab:delete", args: { id: "lab-sensitivity" } });
  });

  it("without any, the list is an object with an empty list", async () => {
    const none = fakeStudio({ "lab:list": () => [] });
    expect((await runMain(["lab", "list", "--json"], { dependencies: none })).json()).toEqual({ kept: [] });
    expect((await runMain(["lab", "list"], { dependencies: none })).stdout).toMatch(
      /^No experiment was kept yet/,
    );
  });

  it("lab --list names the experiments and starts no studio", async () => {
    const studio = fakeStudio({});
    const { code, json } = await runMain(["lab", "--list", "--json"], { dependencies: studio });
    expect(code).toBe(0);
    expect(json()).toMatchObject({
      experiments: LAB_REPORTS.map(({ experiment }) => ({ name: experiment })),
    });
    expect(studio.options).toEqual([]);
  });
});

describe("keystone report", () => {
  const content = "<!doctype html>…";
  const studio = (): Fake =>
    fakeStudio({
      "run:list": () => [madeUpRun().summary],
      "lab:list": () => [keptExperiment(labReportOf("importance")).summary],
      "report:make": () => ({ name: "n", content }),
    });
  const report = (fake: Fake, cwd: string, ...argv: string[]) =>
    runMain(["report", "run-1", "lab-importance", ...argv], { dependencies: fake, cwd });

  it("writes runs and experiments into one file, in the format of its ending", async () => {
    for (const [name, format] of [
      ["r.html", "html"],
      ["r.HTM", "html"],
      ["r.md", "markdown"],
    ]) {
      const folder = await temporaryFolder();
      const fake = studio();
      const { code, json } = await report(fake, folder, "--out", name ?? "", "--title", "T", "--json");
      expect(code).toBe(0);
      const named = { runs: ["run-1"], lab: ["lab-importance"] };
      expect(json()).toEqual({ out: join(folder, name ?? ""), format, bytes: 18, ...named });
      expect(fake.asked.at(-1)).toEqual({ name: "report:make", args: { ...named, format, title: "T" } });
      expect(await readFile(join(folder, name ?? ""), "utf8")).toBe(content);
      expect(await readdir(folder)).toEqual([name]);
    }
  });

  it("leaves an existing file alone, unless it is asked to replace it", async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, "r.html"), "mine");
    const refused = studio();
    expect(await report(refused, folder, "--out", "r.html")).toMatchObject({ code: 2 });
    expect(refused.asked).toEqual([]);
    expect(await readFile(join(folder, "r.html"), "utf8")).toBe("mine");
    expect(await report(studio(), folder, "--out", "r.html", "--overwrite")).toMatchObject({ code: 0 });
    expect(await readFile(join(folder, "r.html"), "utf8")).toBe(content);
    expect(await readdir(folder)).toEqual(["r.html"]);
  });

  it("names an id that is neither a run nor an experiment, and writes nothing", async () => {
    const folder = await temporaryFolder();
    const { code, stderr } = await report(studio(), folder, "nobody", "--out", "r.html");
    expect(code).toBe(1);
    expect(stderr).toMatch(/There is no run and no kept experiment nobody/);
    expect(await readdir(folder)).toEqual([]);
  });
});
