import { existsSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, it } from "vitest";
import { workerFileFor } from "./workerFile.ts";

const at = (path: string): string => workerFileFor(pathToFileURL(path).href);

it("is the TypeScript module when run from source", () => {
  const file = workerFileFor();
  expect(file).toBe(join(import.meta.dirname, "..", "..", "worker", "worker.ts"));
  expect(existsSync(file)).toBe(true);
});

it("is worker.js beside the bundles, also seen from a chunk", () => {
  expect(at("/app/out/main/index.js")).toBe(join("/app/out/main/worker.js"));
  expect(at("/app/out/main/chunks/studio-x1.js")).toBe(join("/app/out/main/worker.js"));
});

it("is outside the archive in a packaged app", () => {
  expect(at("/opt/Keystone/resources/app.asar/out/main/cli.js")).toBe(
    join("/opt/Keystone/resources/app.asar.unpacked/out/main/worker.js"),
  );
});
