import { join } from "node:path";

/**
 * Has every process and thread that is started from now on keep what Node makes of the sources (types stripped, code compiled):
 * hundreds of tests start the same worker and the same command line from source. A folder that the environment names is kept.
 */
export function keepCompiled(): void {
  process.env["NODE_COMPILE_CACHE"] ??= join(
    import.meta.dirname,
    "../../node_modules/.cache/keystone-compiled",
  );
}
