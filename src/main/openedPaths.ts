import { statSync } from "node:fs";
import { resolve } from "node:path";
import type { ShellCommand } from "#shared/command.ts";

/**
 * What a path handed over by the system (command line, file association, icon) asks for: a folder is a model,
 * a `.json` or `.keystone-plan` file is a plan. Anything else, and switches, are ignored.
 */
export function commandForPath(path: string): ShellCommand | null {
  if (path.startsWith("-")) return null;
  const absolute = resolve(path);
  try {
    if (statSync(absolute).isDirectory()) return { type: "open-model", path: absolute };
  } catch {
    return null;
  }
  return /\.(json|keystone-plan)$/.test(absolute) ? { type: "open-plan", path: absolute } : null;
}
