import { readFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

/** What a source's model card says about its licence; carried over word for word. */
export interface SourceLicense {
  readonly license: string;
  readonly license_name?: string;
  readonly license_link?: string;
}

/** Longest model card that is looked into, in characters: the front matter is its first lines. */
const MAX_CHARACTERS = 100_000;

/** The licence in the front matter of a checkpoint's README.md; null where there is none, or not as plain text. */
export async function readSourceLicense(folder: string): Promise<SourceLicense | null> {
  // a checkpoint without a readable card is common and no fault
  const text = await readFile(join(folder, "README.md"), "utf8").catch(() => "");
  return licenseOf(text.slice(0, MAX_CHARACTERS));
}

/** Reads `license`, `license_name` and `license_link` where they are plain scalars on one line. */
export function licenseOf(card: string): SourceLicense | null {
  const block = /^\uFEFF?---\r?\n([\s\S]*?)\r?\n---(\r?\n|$)/.exec(card);
  if (!block) return null;
  const scalar = (key: string): string | null => {
    const line = new RegExp(`^${key}:[ \\t]*(.*?)[ \\t]*\\r?$`, "m").exec(block[1]);
    return line ? plainScalar(line[1]) : null;
  };
  const license = scalar("license");
  if (license === null) return null;
  const name = scalar("license_name");
  const link = scalar("license_link");
  return {
    license,
    ...(name === null ? {} : { license_name: name }),
    ...(link === null ? {} : { license_link: link }),
  };
}

function plainScalar(text: string): string | null {
  const quoted = /^"([^"\\]*)"$|^'([^']*)'$/.exec(text);
  if (quoted) return quoted[1] ?? quoted[2] ?? null;
  const bare = text.replace(/\s+#.*$/, "");
  // lists, blocks and anchors are YAML that one line does not hold
  return bare === "" || /^[[{>|&*!#"'%@`]/.test(bare) || bare.startsWith("- ") ? null : bare;
}

/**
 * How a card names the model it comes from: `owner/name` for a folder of Hugging Face's cache
 * (`models--owner--name/snapshots/revision`), otherwise the folder's own name.
 */
export function baseModelName(folder: string): string {
  const repository = /^models--(.+)$/.exec(basename(dirname(dirname(folder))));
  if (basename(dirname(folder)) === "snapshots" && repository) return repository[1].replace("--", "/");
  return basename(folder);
}
