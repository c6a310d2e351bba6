import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { labFigures } from "#shared/lab/index.ts";
import { paletteOf, runFigures } from "#shared/figures/index.ts";
import { labReport } from "#shared/lab/index.ts";
import { runDetail } from "#shared/run.ts";
import { makeReport } from "#studio/report/makeReport.ts";
import { scriptText } from "#studio/report/plotlyBundle.ts";
import type { ReportSource } from "#studio/report/source.ts";
import { escapeMarkdown } from "#studio/report/writeMarkdown.ts";
import { HOSTILE, hostileCopy, isFreeText } from "../support/hostile.ts";
import { LAB_REPORTS } from "../support/labReports.ts";
import { madeUpDetection } from "../support/madeUp/detection.ts";
import { madeUpRun } from "../support/madeUp/run.ts";
import { madeUpSource } from "../support/reportSource.ts";

const html = async (source: ReportSource): Promise<string> => (await makeReport(source, "html")).content;
const markdown = async (source: ReportSource): Promise<string> =>
  (await makeReport(source, "markdown")).content;

/** The script elements in order, with what they hold. */
function scripts(page: string): { attributes: string; text: string }[] {
  return [...page.matchAll(/<script([^>]*)>([\s\S]*?)<\/script>/g)].map(([, attributes = "", text = ""]) => ({
    attributes,
    text,
  }));
}

const withoutScripts = (page: string): string => page.replace(/<script[^>]*>[\s\S]*?<\/script>/g, "");

const island = (page: string, id: string): unknown =>
  JSON.parse(scripts(page).find(({ attributes }) => attributes.includes(`id="${id}"`))?.text ?? "null");

/** Everything from a person or a file is hostile. */
function hostileSource(): ReportSource {
  const source = madeUpSource();
  const named = <T>(value: T): T => hostileCopy(value, isFreeText);
  return {
    ...source,
    title: `A title ${HOSTILE}`,
    models: source.models.map((model) => ({
      ...model,
      name: HOSTILE,
      path: `/models/${HOSTILE}`,
      absent: HOSTILE,
    })),
    runs: source.runs.map(({ fingerprint, detail }) => ({
      fingerprint,
      detail: runDetail.parse(named(detail)),
    })),
    lab: source.lab.map((kept) => ({
      ...kept,
      summary: { ...kept.summary, finding: { code: "made-up", text: HOSTILE }, modelName: HOSTILE },
      report: labReport.parse({ ...named(kept.report), model: `/models/${HOSTILE}` }),
      request: { ...kept.request, text: `/texts/${HOSTILE}` },
    })),
  };
}

describe("the report as HTML", () => {
  it("refers to nothing outside itself", async () => {
    const page = withoutScripts(await html(madeUpSource()));
    expect(page).not.toMatch(/https?:|\/\/[a-z]|@import|url\(|\ssrc=|<link|<iframe|<object|<form/i);
    for (const [, target] of page.matchAll(/href="([^"]*)"/g)) expect(target).toMatch(/^#[\w-]+$/);
  });

  it("lets only its own two scripts run and nothing be loaded", async () => {
    const page = await html(madeUpSource());
    const policy =
      /Content-Security-Policy" content="([^"]+)"/.exec(page)?.[1]?.replaceAll("&#39;", "'") ?? "";
    expect(policy).toMatch(/^default-src 'none'; script-src 'sha256-/);
    const run = scripts(page).filter(({ attributes }) => attributes === "");
    expect(run).toHaveLength(2);
    for (const { text } of run)
      expect(policy).toContain(`'sha256-${createHash("sha256").update(text).digest("base64")}'`);
    expect(policy).not.toMatch(/script-src[^;]*unsafe/);
  });

  it("holds every figure of every run and experiment, with its chart, words and a table of its values", async () => {
    const page = await html(madeUpSource());
    const palette = paletteOf((name) => `token(${name})`);
    const figures = [
      ...runFigures(madeUpRun(), palette).map((figure) => ({ id: `run-1-${figure.id}`, figure })),
      ...LAB_REPORTS.flatMap((report, i) =>
        labFigures(report, palette).map((figure) => ({ id: `lab-${i + 1}-${figure.id}`, figure })),
      ),
    ];
    expect(figures.length).toBeGreaterThan(20);
    for (const { id } of figures) expect(page).toContain(`<figure id="${id}">`);
    expect(island(page, "figures")).toEqual(
      figures.map(({ figure: { traces, layout } }) => ({ traces, layout })),
    );
    expect(page.match(/class="chart" data-figure="\d+" role="img" aria-label="[^"]{10}/g)).toHaveLength(
      figures.length,
    );
    const ids = [...page.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it("holds the unrounded data for programs", async () => {
    const source = madeUpSource();
    expect(island(await html(source), "data")).toEqual(
      JSON.parse(JSON.stringify({ runs: source.runs.map(({ detail }) => detail), lab: source.lab })),
    );
  });

  it("takes hostile names for text, wherever they stand", async () => {
    const page = await html(hostileSource());
    const clean = await html(madeUpSource());
    const count = (text: string, pattern: RegExp): number => text.match(pattern)?.length ?? 0;
    for (const tag of [/<script/g, /<\/script/g, /<a /g, /<section/g, /<figure/g])
      expect(count(page, tag), String(tag)).toBe(count(clean, tag));
    expect(withoutScripts(page)).not.toMatch(/<img|onerror="/);
    expect(withoutScripts(page)).toContain("&lt;img src=&quot;http://evil.example");
    expect(() => [island(page, "data"), island(page, "figures")]).not.toThrow();
  });
});

describe.each(["html", "markdown"] as const)("what a report says, as %s", (format) => {
  const text = async (source: ReportSource): Promise<string> => {
    const { content } = await makeReport(source, format);
    return (
      (format === "html" ? withoutScripts(content) : content)
        .replaceAll("&lt;", "<")
        .replaceAll("&gt;", ">")
        .replaceAll("&quot;", '"')
        .replaceAll("&#39;", "'")
        .replaceAll("&amp;", "&")
        .replace(/\\([\\`*_[\]{}|#~])/g, "$1")
        // A long command goes on in further lines.
        .replaceAll(" \\\n  ", " ")
    );
  };

  it("names model, environment, super weights, run and experiments", async () => {
    const said = await text(madeUpSource());
    for (const fact of [
      "f".repeat(64),
      "/models/demo",
      "[137, 401]",
      "2 workers × 1 thread on cpu",
      "24.0.0",
      "A processor, 2 cores",
      "8.0 GiB",
      "Linux 6.1.0 (x64)",
      "Removing 1 weight raises perplexity from 1.88",
      "12 windows of at most 192 tokens",
      "One thing the reader must know.",
      "It does not fit. Choose another block.",
    ])
      expect(said).toContain(fact);
  });

  it("says what is special about the demo model and what the paper saw", async () => {
    const said = await text(madeUpSource());
    expect(said).toContain("its super weight was seeded before training");
    expect(said).toContain("720.57 with the super activation kept");
    expect(said).toContain("recovers about 42 % of the loss; here it recovers everything");
    const other = madeUpSource();
    expect(
      await text({ ...other, models: other.models.map((model) => ({ ...model, isDemo: false })) }),
    ).not.toContain("seeded before training");
  });

  it("marks the best variant and those that none beats in both, and names each recipe", async () => {
    const said = await text(madeUpSource());
    const run = madeUpRun();
    expect(said.match(/★/g)?.length).toBe(2);
    for (const { id } of run.results) expect(said).toContain(id.slice(0, 12));
    expect(said).toContain(`recipe ${run.best ?? ""}`);
  });

  it("holds the recipes of block scaling, activations and the search, each with its command", async () => {
    const said = await text(madeUpSource());
    for (const recipe of [
      '{"scheme":"affine","bits":3,"granularity":"tensor"}',
      '{"scheme":"affine","bits":4,"granularity":"flat:16384","range":{"method":"zscore","threshold":5},"restore":[[1,137,401]]}',
      '"activations":{"bits":8,"per":"token","matmuls":false,"method":"smoothquant","alpha":0.85}}',
    ])
      expect(said).toContain(recipe);
    for (const name of ["int3-tensor-clip-restore", "w8a8-per-token-naive", "found"])
      expect(said).toContain(`keystone eval /models/demo --recipe ${name}.json --text /models/eval.jsonl`);
    expect(said).toMatch(/w8a8-per-token-smoothquant\.json .*--calibration \/models\/calibration\.jsonl/);
  });

  it("gives the commands to repeat everything, recipes in full", async () => {
    const said = await text(madeUpSource());
    expect(said).toContain("keystone sweep /models/demo --plan plan.json --text /models/eval.jsonl");
    for (const { recipe } of madeUpRun().results) expect(said).toContain(JSON.stringify(recipe));
    for (const { experiment } of LAB_REPORTS)
      expect(said).toContain(`keystone lab ${experiment} /models/demo --text /models/eval.jsonl`);
    expect(said).toContain("keystone export /models/demo --recipe best.json");
  });
});

describe("the report as Markdown", () => {
  it("has tables whose every row has the cells of its head, whatever names hold", async () => {
    const lines = (await markdown(hostileSource())).split("\n");
    let columns = 0;
    let rows = 0;
    let inCode = "";
    for (const line of lines) {
      const fence = /^`{3,}/.exec(line)?.[0] ?? "";
      if (fence) inCode = inCode === "" ? fence : line === inCode ? "" : inCode;
      if (inCode !== "" || !line.startsWith("|")) {
        columns = 0;
        continue;
      }
      const cells = line.replaceAll("\\|", "").split("|").length;
      columns ||= cells;
      expect(cells, line).toBe(columns);
      rows++;
    }
    expect(inCode).toBe("");
    expect(rows).toBeGreaterThan(100);
  });

  it("lets no hostile name become HTML, a link or markup outside of code", async () => {
    const text = (await markdown(hostileSource())).replace(/^(`{3,})sh\n[\s\S]*?\n\1$/gm, "");
    expect(text).toContain("evil.example");
    expect(text).not.toMatch(/<[a-z/!]/i);
    expect(text).not.toMatch(/[^\\]\]\(/);
    expect(text).not.toContain("http://evil");
  });

  it("escapes what would begin a list or a heading", () => {
    expect(escapeMarkdown("# one\n- two | *three*")).toBe("\\# one - two \\| \\*three\\*");
    expect(escapeMarkdown("1. first")).toBe("1\\. first");
    expect(escapeMarkdown("- first")).toBe("\\- first");
  });
});

describe("the file", () => {
  it("has a name that every file system takes", async () => {
    const source = madeUpSource();
    const named = async (name: string): Promise<string> =>
      (
        await makeReport(
          { ...source, models: source.models.map((model) => ({ ...model, name })) },
          "markdown",
        )
      ).name;
    expect(await named("demo")).toBe("keystone-demo-2026-01-31.md");
    expect(await named("../../etc/passwd")).toBe("keystone-etc-passwd-2026-01-31.md");
    expect(await named("<>")).toBe("keystone-report-2026-01-31.md");
    expect((await named("m".repeat(500))).length).toBeLessThan(100);
  });

  it("holds a bundle that cannot end its own element", () => {
    expect(scriptText('a = "</script><!--";\r\nb')).toBe('a = "<\\/script><\\!--";\nb');
  });
});

describe("a model's search in the report", () => {
  const source = madeUpSource();
  const searched: ReportSource = {
    ...source,
    models: source.models.map((model) => ({ ...model, detection: madeUpDetection(model.path) })),
  };
  it("says the answer, from what it comes, and keeps the two lists apart, as the window does", async () => {
    const text = await markdown(searched);
    expect(text).toContain("2 super weights, and 6 weights that matter together");
    expect(text).toContain("the null, is 0.00040");
    expect(text).toContain("The largest activation is 24,520.0, in channel 507 behind layer 11");
    const [vital, large] = ["What the model can't live without", "Large, but not needed"].map((title) =>
      text.indexOf(escapeMarkdown(title)),
    );
    expect(vital).toBeGreaterThan(0);
    expect(large).toBeGreaterThan(vital ?? 0);
    expect(text).toContain("much less is lost with both zeroed than with one");
    expect(text).toContain("safe to clip");
    expect(text).toContain("seen only with layer 11");
  });
  it("draws evidence against effect, with nothing from outside", async () => {
    const page = await html(searched);
    expect(page).toContain("Evidence and effect");
    expect(withoutScripts(page)).not.toMatch(/https?:/);
  });
});
