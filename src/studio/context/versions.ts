import { createRequire } from "node:module";

/** The runtime's version, read from its package.json: loading the runtime itself belongs into workers. */
export function runtimeVersion(): string {
  const found: unknown = createRequire(import.meta.url)("onnxruntime-node/package.json");
  return typeof found === "object" && found !== null && "version" in found
    ? String(found.version)
    : "unknown";
}
