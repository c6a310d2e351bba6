// Types of everything: TypeScript's native compiler for the studio and its faces, svelte-check for the window. Svelte's and ESLint's
// tools are written against the older compiler's interface, so both are installed.
import { spawnSync } from "node:child_process";

/** What did not change since the last time is not checked again. */
const native = (project: string, info: string): string[] => [
  "node_modules/typescript-native/bin/tsc",
  ...["--noEmit", "--project", project],
  ...["--incremental", "--tsBuildInfoFile", `.types/${info}.tsbuildinfo`],
];

const checks = [
  native("tsconfig.json", "all"),
  native("e2e/tsconfig.json", "e2e"),
  [
    "node_modules/svelte-check/bin/svelte-check",
    "--tsconfig",
    "src/renderer/tsconfig.json",
    "--fail-on-warnings",
    "--output",
    "human",
  ],
];
const failed = checks.filter((args) => spawnSync(process.execPath, args, { stdio: "inherit" }).status !== 0);
process.exit(failed.length === 0 ? 0 : 1);
