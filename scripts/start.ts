// Opens the studio: in Electron where its binary and a display are at hand, otherwise in the browser through `serve`.
import { spawn, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");

/** An Electron that ends with an error sooner than this never showed a window. */
const COULD_NOT_START_MS = 10_000;
/** The person ended it themselves. */
let stopped = false;

const electron = findElectron();
const reason = electron.binary === null ? electron.reason : displayMissing();
if (electron.binary !== null && reason === null) openWindow(electron.binary);
else serve(reason ?? "");

/** Electron; where it cannot start (its sandbox is not allowed, the display does not answer), the browser. */
function openWindow(binary: string): void {
  const sandbox = process.platform === "linux" && process.getuid?.() === 0 ? ["--no-sandbox"] : [];
  const started = Date.now();
  run(binary, [...sandbox, root, ...process.argv.slice(2)], (code) => {
    const failed = code !== 0 && Date.now() - started < COULD_NOT_START_MS;
    if (failed)
      serve(`Electron could not start (${code === null ? "it was ended" : `code ${code}`}); see above.`);
    else process.exit(code ?? 1);
  });
}

function serve(why: string): void {
  console.error(`${why} The same studio is served to your browser instead.`);
  run(process.execPath, [join(root, "out/main/cli.js"), "serve", ...process.argv.slice(2)], (code) =>
    process.exit(code ?? 1),
  );
}

function run(command: string, args: string[], ended: (code: number | null) => void): void {
  const child = spawn(command, args, { stdio: "inherit", cwd: root });
  const pass = (signal: NodeJS.Signals): void => {
    stopped = true;
    child.kill(signal);
  };
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, pass);
  child.on("error", () => ended(1));
  child.on("exit", (code) => (stopped ? process.exit(code ?? 1) : ended(code)));
}

/** Electron's binary: an override folder, the one beside the package, or fetched now by Electron's own installer. */
function findElectron(): { binary: string; reason: null } | { binary: null; reason: string } {
  const name =
    { darwin: "Electron.app/Contents/MacOS/Electron", win32: "electron.exe" }[process.platform as string] ??
    "electron";
  const folder = process.env.ELECTRON_OVERRIDE_DIST_PATH ?? join(root, "node_modules/electron/dist");
  const binary = join(folder, name);
  if (existsSync(binary)) return { binary, reason: null };
  const missing = displayMissing();
  if (missing !== null) return { binary: null, reason: missing };
  if (
    process.env.ELECTRON_OVERRIDE_DIST_PATH === undefined &&
    process.env.ELECTRON_SKIP_BINARY_DOWNLOAD === undefined
  ) {
    console.error("Fetching Electron's binary (first start) …");
    spawnSync(process.execPath, [join(root, "node_modules/electron/install.js")], {
      stdio: ["ignore", "ignore", "ignore"],
      timeout: 600_000,
    });
    if (existsSync(binary)) return { binary, reason: null };
  }
  return { binary: null, reason: "Electron's binary is not here and could not be downloaded." };
}

/** Why no window can be shown, or null where one can. */
function displayMissing(): string | null {
  if (process.platform !== "linux") return null;
  return process.env.DISPLAY || process.env.WAYLAND_DISPLAY ? null : "There is no display on this machine.";
}
