import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";

/**
 * Plotly's basic bundle as the text of a script element. It lies among the packages, from source and in a packaged app alike.
 * @throws when the package is not there
 */
export async function plotlyBundle(): Promise<string> {
  return scriptText(await readFile(plotlyBundlePath(), "utf8"));
}

/** Where the bundle lies. */
export function plotlyBundlePath(): string {
  return createRequire(import.meta.url).resolve("plotly.js-basic-dist-min");
}

/** JavaScript that holds nothing an HTML parser would take for the end of its element; inside strings and patterns the meaning stays. */
export function scriptText(source: string): string {
  return source
    .replaceAll("\r\n", "\n")
    .replaceAll(/<\/(script)/gi, "<\\/$1")
    .replaceAll("<!--", "<\\!--");
}
