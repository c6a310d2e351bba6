import { statSync } from "node:fs";
import { resolve } from "node:path";
import { z } from "zod";
import type { ShellCommand } from "#shared/command.ts";

/**
 * What a path handed over by the system (command line, file association, icon) asks for: a folder or a `.gguf` file is a model,
 * a `.json` or `.keystone-plan` file is a plan. Anything else is ignored.
 */
export function commandForPath(path: string): ShellCommand | null {
  const absolute = resolve(path);
  try {
    if (statSync(absolute).isDirectory()) return { type: "open-model", path: absolute };
  } catch {
    return null;
  }
  if (/\.gguf$/i.test(absolute)) return { type: "open-model", path: absolute };
  return /\.(json|keystone-plan)$/i.test(absolute) ? { type: "open-plan", path: absolute } : null;
}

/**
 * The paths on a command line, absolute. Switches belong to Chromium; in development the app's own folder comes first.
 * @param argv process.argv
 */
export function pathsOnCommandLine(argv: readonly string[], packaged: boolean): string[] {
  const paths = argv.slice(1).filter((argument) => argument !== "" && !argument.startsWith("-"));
  return paths.slice(packaged ? 0 : 1).map((path) => resolve(path));
}

/** What a second instance hands to the first: Chromium reorders the command line, so it travels apart from it. */
export interface SecondInstance {
  paths: string[];
}

const secondInstance = z.object({ paths: z.array(z.string().min(1).max(4096)).max(64) });

/** The paths that a second instance was started with; none where it sent something else. */
export function pathsOfSecondInstance(data: unknown): string[] {
  const read = secondInstance.safeParse(data);
  return read.success ? read.data.paths : [];
}
