// Packs the app with electron-builder as a release would, with a stand-in for Electron's binary, and checks what came
// out: everything the app loads is there, and the worker runs from where a package keeps it.
import { build, Platform } from "electron-builder";
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  closeSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join, relative, sep } from "node:path";
import { z } from "zod";
import { openCheckpoint } from "#engine/formats/openCheckpoint.ts";

const ROOT = join(import.meta.dirname, "..");
const scratch = mkdtempSync(join(tmpdir(), "keystone-package-"));
const problems: string[] = [];
/** What the probe prints. */
const probed = z.object({
  device: z.literal("cpu"),
  absMax: z.number().positive(),
  superWeights: z.array(z.tuple([z.number(), z.number(), z.number()])),
});
const started = Date.now();

try {
  await build({
    projectDir: ROOT,
    targets: Platform.LINUX.createTarget("dir"),
    publish: "never",
    // Fuses are switches inside Electron's binary; the stand-in has none.
    config: {
      electronDist: fakeElectron(),
      directories: { output: join(scratch, "dist") },
      electronFuses: null,
    },
  });
  const packed = readdirSync(join(scratch, "dist")).find((name) => name.endsWith("-unpacked"));
  if (packed === undefined) throw new Error("electron-builder left no unpacked folder.");
  const resources = join(scratch, "dist", packed, "resources");
  checkArchive(resources);
  checkUnpacked(join(resources, "app.asar.unpacked"));
  checkDemoModel(join(resources, "demo-model"));
  expect(existsSync(join(resources, "texts/keystone-own-text.jsonl")), "Keystone's own text is missing");
  await runWorker(resources);
  const megabytes = (folder: string): string => `${(sizeOf(folder) / 1e6).toFixed(0)} MB`;
  console.log(
    `app.asar ${megabytes(join(resources, "app.asar"))}, unpacked ${megabytes(join(resources, "app.asar.unpacked"))}, demo model ${megabytes(join(resources, "demo-model"))}`,
  );
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
for (const problem of problems) console.error(`FAIL ${problem}`);
console.log(
  `${problems.length === 0 ? "The package is complete" : `${problems.length} problems`}, ${((Date.now() - started) / 1000).toFixed(0)} s`,
);
process.exit(problems.length === 0 ? 0 : 1);

/** A folder that looks like Electron's distribution to electron-builder. */
function fakeElectron(): string {
  const folder = join(scratch, "electron");
  mkdirSync(join(folder, "resources"), { recursive: true });
  for (const name of ["electron", "LICENSE", "LICENSES.chromium.html", "version"])
    writeFileSync(join(folder, name), "stand-in\n");
  chmodSync(join(folder, "electron"), 0o755);
  return folder;
}

function expect(there: boolean, problem: string): void {
  if (!there) problems.push(problem);
}

interface ArchiveEntry {
  files?: Record<string, ArchiveEntry> | undefined;
  unpacked?: boolean | undefined;
}

/** An archive's table of contents: JSON behind four 32-bit numbers, the last of which is its length in bytes. */
function readArchive(file: string): ArchiveEntry {
  const handle = openSync(file, "r");
  try {
    const sizes = Buffer.alloc(16);
    readSync(handle, sizes, 0, 16, 0);
    const json = Buffer.alloc(sizes.readUInt32LE(12));
    readSync(handle, json, 0, json.length, 16);
    const entry: z.ZodType<ArchiveEntry> = z.lazy(() =>
      z.object({ files: z.record(z.string(), entry).optional(), unpacked: z.boolean().optional() }),
    );
    return entry.parse(JSON.parse(json.toString("utf8")));
  } finally {
    closeSync(handle);
  }
}

/** Main, preload and window lie in the archive, where Electron checks their integrity; so does all that was built. */
function checkArchive(resources: string): void {
  const archive = readArchive(join(resources, "app.asar"));
  const find = (path: string): ArchiveEntry | undefined =>
    path.split("/").reduce<ArchiveEntry | undefined>((entry, part) => entry?.files?.[part], archive);
  const out = filesUnder(join(ROOT, "out")).map((path) => `out/${path}`);
  for (const path of [
    "package.json",
    ...out.filter((name) => name !== "out/.built" && name !== "out/main/cli.js" && !name.endsWith(".map")),
  ]) {
    const entry = find(path);
    const outside = path === "out/main/worker.js" || path.startsWith("out/main/chunks/");
    expect(entry !== undefined, `${path} is not in app.asar`);
    expect(
      entry === undefined || (entry.unpacked ?? false) === outside,
      `${path} lies ${outside ? "inside" : "outside"} the archive`,
    );
  }
  for (const path of ["out/main/index.js", "out/preload/index.cjs", "out/renderer/index.html"])
    expect(find(path) !== undefined, `${path} is not in app.asar`);
  for (const path of [
    "src",
    "test",
    "e2e",
    "node_modules/electron",
    "node_modules/vite",
    "node_modules/svelte",
  ])
    expect(find(path) === undefined, `${path} is packed, but belongs to development`);
}

/** The worker, what it imports, and the native library of this platform alone. */
function checkUnpacked(folder: string): void {
  const seen = new Set<string>();
  const follow = (path: string): void => {
    if (seen.has(path)) return;
    seen.add(path);
    const file = join(folder, path);
    if (!existsSync(file)) {
      problems.push(`${path} is not unpacked`);
      return;
    }
    for (const [, from = ""] of readFileSync(file, "utf8").matchAll(/(?:from|import\()\s*"(\.[^"]+)"/g))
      follow(join(path, "..", from));
  };
  follow(join("out", "main", "worker.js"));
  expect(
    existsSync(join(folder, "package.json")),
    "package.json is not beside the unpacked bundles: they would not be read as ES modules",
  );
  const libraries = filesUnder(join(folder, "node_modules/onnxruntime-node/bin"));
  expect(
    libraries.some((path) => path.endsWith("onnxruntime_binding.node")),
    "onnxruntime's native library is not unpacked",
  );
  expect(
    libraries.every((path) => path.includes(`linux/${process.arch}/`)),
    "libraries of other platforms are packed",
  );
  checkPlotly(folder);
}

/** A report inlines Plotly's bundle, which it finds among the packages from where the main bundle lies. */
function checkPlotly(folder: string): void {
  try {
    const found = createRequire(join(folder, "out", "main", "index.js")).resolve("plotly.js-basic-dist-min");
    expect(
      found.startsWith(folder) && statSync(found).size > 500_000,
      `${found} is not Plotly's packed bundle`,
    );
  } catch (error) {
    problems.push(`Plotly's bundle for reports is not unpacked: ${String(error)}`);
  }
}

function checkDemoModel(folder: string): void {
  for (const path of [
    "model/config.json",
    "model/model.safetensors",
    "model/tokenizer.json",
    "eval.jsonl",
    "plan.json",
  ]) {
    expect(existsSync(join(folder, path)), `demo-model/${path} is missing`);
  }
}

/** Runs the packaged worker on the packaged demo model, from a copy elsewhere so that nothing of the repository is found. */
async function runWorker(resources: string): Promise<void> {
  if (process.platform !== "linux") {
    console.log("The packaged worker was not run: the check packs for Linux.");
    return;
  }
  const elsewhere = join(scratch, "elsewhere");
  cpSync(join(resources, "app.asar.unpacked"), elsewhere, { recursive: true });
  cpSync(join(ROOT, "scripts/packagedProbe.mjs"), join(elsewhere, "probe.mjs"));
  const model = join(resources, "demo-model/model");
  const checkpoint = await openCheckpoint(model);
  await checkpoint.close();
  const done = spawnSync(process.execPath, [join(elsewhere, "probe.mjs"), model, checkpoint.revision], {
    cwd: elsewhere,
    encoding: "utf8",
    env: { PATH: process.env.PATH ?? "" },
  });
  if (done.status !== 0) {
    problems.push(`the packaged worker does not run: ${done.stderr.trim()}`);
    return;
  }
  const { superWeights } = probed.parse(JSON.parse(done.stdout));
  const golden = z
    .object({ superWeights: z.array(z.object({ layer: z.number(), row: z.number(), column: z.number() })) })
    .parse(JSON.parse(readFileSync(join(ROOT, "resources/demo-model/golden.json"), "utf8")));
  const known = golden.superWeights.map(({ layer, row, column }) => [layer, row, column]);
  expect(
    JSON.stringify(superWeights) === JSON.stringify(known),
    `the packaged worker found ${JSON.stringify(superWeights)} instead of ${JSON.stringify(known)}`,
  );
}

/** Every file below a folder, as `a/b/c`. */
function filesUnder(folder: string): string[] {
  if (!existsSync(folder)) return [];
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join("/"));
}

function sizeOf(path: string): number {
  if (!statSync(path).isDirectory()) return statSync(path).size;
  return filesUnder(path).reduce((sum, name) => sum + statSync(join(path, name)).size, 0);
}
