// Opens the studio: in Electron where its binary and a display are at hand, otherwise in the browser through `serve`.
import { spawn, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");

const electron = findElectron();
const reason = electron.binary === null ? electron.reason : displayMissing();
if (electron.binary !== null && reason === null) {
  const sandbox = process.platform === "linux" && process.getuid?.() === 0 ? ["--no-sandbox"] : [];
  run(electron.binary, [...sandbox, root, ...process.argv.slice(2)]);
} else {
  console.error(`${reason ?? ""} The same studio is served to your browser instead.`);
  run(process.execPath, [join(root, "out/main/cli.js"), "serve", ...process.argv.slice(2)]);
}

function run(command: string, args: string[]): void {
  const child = spawn(command, args, { stdio: "inherit", cwd: root });
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => child.kill(signal));
  child.on("exit", (code) => process.exit(code ?? 1));
}

/** Electron's binary: an override folder, the one beside the package, or fetched now by Electron's own installer. */
function findElectron(): { binary: string; reason: null } | { binary: null; reason: string } {
  const name = { darwin: "Electron.app/Contents/MacOS/Electron", win32: "electron.exe" }[process.platform as string] ?? "electron";
  const folder = process.env.ELECTRON_OVERRIDE_DIST_PATH ?? join(root, "node_modules/electron/dist");
  const binary = join(folder, name);
  if (existsSync(binary)) return { binary, reason: null };
  const missing = displayMissing();
  if (missing !== null) return { binary: null, reason: missing };
  if (process.env.ELECTRON_OVERRIDE_DIST_PATH === undefined && process.env.ELECTRON_SKIP_BINARY_DOWNLOAD === undefined) {
    console.error("Fetching Electron's binary (first start) …");
    spawnSync(process.execPath, [join(root, "node_modules/electron/install.js")], { stdio: ["ignore", "ignore", "ignore"], timeout: 600_000 });
    if (existsSync(binary)) return { binary, reason: null };
  }
  return { binary: null, reason: "Electron's binary is not here and could not be downloaded." };
}

/** Why no window can be shown, or null where one can. */
function displayMissing(): string | null {
  if (process.platform !== "linux") return null;
  return process.env.DISPLAY || process.env.WAYLAND_DISPLAY ? null : "There is no display on this machine.";
}
