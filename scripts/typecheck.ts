// Types of everything: TypeScript for the studio and its faces, svelte-check for the window.
import { spawnSync } from "node:child_process";

const checks = [
  ["node_modules/typescript/bin/tsc", "--noEmit", "-p", "tsconfig.json"],
  ["node_modules/typescript/bin/tsc", "--noEmit", "-p", "e2e/tsconfig.json"],
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
