import { existsSync } from "node:fs";
import { join } from "node:path";

const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/** A Chromium on this machine: `CHROMIUM_PATH`, or one on the PATH, or macOS's Chrome; null where there is none. */
export function findChromium(): string | null {
  const asked = process.env.CHROMIUM_PATH;
  if (asked !== undefined && existsSync(asked)) return asked;
  const folders = (process.env.PATH ?? "").split(process.platform === "win32" ? ";" : ":");
  const candidates = folders.flatMap((folder) => NAMES.map((name) => join(folder, name)));
  candidates.push("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome");
  return candidates.find((path) => existsSync(path)) ?? null;
}

/** What to tell a person whose machine has no Chromium. */
export const INSTALL_CHROMIUM =
  "No Chromium was found. Install one with: sudo apt-get install chromium (or set CHROMIUM_PATH).";
