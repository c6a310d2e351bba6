import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { describe, expect, it } from "vitest";
import { ExportJob } from "#engine/export/folder/exportJob.ts";
import {
  clearLeftovers,
  findLeftovers,
  MARKER_FILE,
  markerText,
  removeLeftover,
} from "#engine/export/folder/leftovers.ts";
import { cancelledError } from "#shared/errors.ts";
import { exportFormat, type ExportFormat } from "#shared/exporting.ts";
import { soaked } from "../support/soak.ts";
import { adapted, bench, besideTarget, exportTo, RECIPE, tree, verifying } from "./exporting.ts";

/** Moments at which each format is cancelled. */
const CANCELS = soaked(12, 100);
/** Widths that every format's blocks divide. */
const SHAPE = { hidden: 64, intermediate: 96, heads: 4, keyValueHeads: 2, vocabulary: 40 } as const;
/** One that each format holds. */
const RECIPES: Readonly<Record<ExportFormat, object>> = {
  safetensors: RECIPE,
  "compressed-tensors": { scheme: "int", bits: 4, symmetric: true, granularity: "group:32" },
  gptq: { scheme: "gptq-int", bits: 4, granularity: "group:32" },
  awq: { scheme: "awq-int", bits: 4, granularity: "group:32" },
  mlx: { scheme: "mlx", bits: 4, granularity: "group:32" },
  gguf: { scheme: "q4_0", bits: 4, granularity: "group:32", restore: [[1, 3, 7]] },
  onnx: { scheme: "matmulnbits", bits: 4, granularity: "group:32", restore: [[1, 3, 7]] },
};
const ENDED_THREADS = 4;

/** Control that ends the job at its n-th check, and counts them. */
function cancelAt(n: number) {
  const control = {
    checks: 0,
    report: () => undefined,
    check: () => {
      control.checks += 1;
      if (control.checks === n) throw cancelledError();
    },
  };
  return control;
}

describe("a cancelled export", () => {
  for (const format of exportFormat.options) {
    it(`leaves nothing, at ${CANCELS} random moments between the first and the last: ${format}`, async () => {
      const made = await bench({
        ...SHAPE,
        shards: 3,
        storage: "F16",
        files: { "tokenizer_config.json": "{}" },
      });
      const { variant } = adapted(made.checkpoint, RECIPES[format], format);
      const other = { ...made, variant };
      const before = await tree(made.folder);
      const whole = cancelAt(Infinity);
      await exportTo(
        { ...other, out: join(made.folder, "model-other") },
        { format, control: whole, verify: verifying(other, format, whole) },
      );
      const beforeEach = await tree(made.folder);
      expect(beforeEach.length).toBeGreaterThan(before.length);

      const moments = [1, whole.checks];
      // one out of every stretch, so that few moments reach all that an export does
      const stretch = whole.checks / (CANCELS - 2);
      for (let i = 0; i < CANCELS - 2; i++)
        moments.push(Math.min(1 + Math.floor((i + Math.random()) * stretch), whole.checks));
      for (const moment of moments) {
        const control = cancelAt(moment);
        const error = await exportTo(other, {
          format,
          control,
          verify: verifying(other, format, control),
        }).catch((thrown: unknown) => thrown);
        expect(error, `cancelled at check ${moment}`).toMatchObject({ code: "job/cancelled" });
        expect(await tree(made.folder), `cancelled at check ${moment}`).toEqual(beforeEach);
      }
    });
  }

  it("also removes the parent folders that were made for it", async () => {
    const made = await bench();
    const nested = { ...made, out: join(made.folder, "exports", "today", "small") };
    await expect(exportTo(nested, { control: cancelAt(10) })).rejects.toMatchObject({
      code: "job/cancelled",
    });
    expect(await besideTarget(made)).toEqual(["model"]);
    await exportTo(nested);
    expect(await tree(nested.out)).toContain("model.safetensors");
  });

  it("leaves nothing once its owner cleans up after a thread that was ended", async () => {
    const made = await bench({ shards: 2 });
    const before = await tree(made.folder);
    for (let i = 0; i < ENDED_THREADS; i++) {
      const job = await ExportJob.plan({ source: made.checkpoint.path, out: made.out, overwrite: false });
      const worker = new Worker(new URL("./exportThread.ts", import.meta.url), {
        execArgv: [],
        workerData: {
          source: made.checkpoint.path,
          folders: job.folders,
          recipe: RECIPE,
          stopAfter: 2 + 9 * i,
        },
      });
      await once(worker, "message");
      await worker.terminate();
      expect(await tree(made.folder)).not.toEqual(before);
      await job.cleanup();
      expect(await tree(made.folder)).toEqual(before);
    }
  });

  it("does not lose a finished export to a late cleanup", async () => {
    const made = await bench();
    const job = await ExportJob.plan({ source: made.checkpoint.path, out: made.out, overwrite: false });
    await exportTo(made);
    const finished = await tree(made.out);
    await job.cleanup();
    await job.cleanup();
    expect(await tree(made.out)).toEqual(finished);
  });
});

describe("leftovers of a crashed export", () => {
  const gone = () => false;
  const alive = () => true;

  it("are recognised by name, marker and a process that no longer runs, and removed", async () => {
    const { folder, out } = await bench();
    const part = `${out}.${process.pid}.0-1.part`;
    await mkdir(part);
    await writeFile(join(part, MARKER_FILE), markerText());
    await writeFile(join(part, "model.safetensors"), "half");
    expect(await findLeftovers(folder, undefined, alive)).toEqual([]);
    const found = await findLeftovers(folder, undefined, gone);
    expect(found).toEqual([{ path: part, kind: "part", out }]);
    await removeLeftover(found[0]);
    expect(await findLeftovers(folder, undefined, gone)).toEqual([]);
    await expect(readdir(part)).rejects.toMatchObject({ code: "ENOENT" });
  });

  it("to one folder go before the next export there; those of others stay", async () => {
    const { folder, out } = await bench();
    const ended = spawnSync(process.execPath, ["--version"]).pid;
    for (const target of [out, `${out}-other`]) await mkdir(`${target}.${ended}.0-1.part`);
    await clearLeftovers(out);
    expect(await tree(folder)).not.toContain(`export.${ended}.0-1.part`);
    expect(await tree(folder)).toContain(`export-other.${ended}.0-1.part`);
    await clearLeftovers(join(folder, "not", "there"));
  });

  it("are never a person's own folders, whatever they are called", async () => {
    const { folder, out } = await bench();
    for (const name of [`${out}.1.0-1.part`, `${out}.1.0-1.old`]) {
      await mkdir(name);
      await writeFile(join(name, "thesis.tex"), "mine");
    }
    await mkdir(`${out}.1.0-2.part`);
    await writeFile(
      join(`${out}.1.0-2.part`, MARKER_FILE),
      JSON.stringify({ pid: 1, host: "another machine" }),
    );
    await writeFile(`${out}.1.0-3.part`, "a file");
    expect(await findLeftovers(folder, undefined, gone)).toEqual([]);
  });

  it("bring back the old folder where its successor never arrived, and remove it where it did", async () => {
    const { folder, out } = await bench();
    const old = `${out}.1.0-1.old`;
    await mkdir(old);
    await writeFile(join(old, "keystone.json"), "old");
    const [first] = await findLeftovers(folder, undefined, gone);
    await removeLeftover(first);
    expect(await tree(out)).toEqual(["keystone.json"]);

    await mkdir(old);
    await writeFile(join(old, "keystone.json"), "older");
    await removeLeftover((await findLeftovers(folder, undefined, gone))[0]);
    expect(await tree(folder)).not.toContain("export.1.0-1.old");
    expect(await tree(out)).toEqual(["keystone.json"]);
  });
});
