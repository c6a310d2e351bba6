// The door of every npm script. Runs on the Node the system has (20 or newer), installs and builds what is missing,
// says what it does on stderr, and hands over to the packaged Node 24 that everything else runs on.
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { statOf, withLock } from "./lock.mjs";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const modules = join(root, "node_modules");
const node = join(modules, "node", "bin", process.platform === "win32" ? "node.exe" : "node");

/** What each command needs built first, and the file that Node 24 then runs. */
const COMMANDS = {
  start: { build: true, run: ["scripts/start.ts"] },
  demo: { build: true, run: ["out/main/cli.js", "demo"] },
  keystone: { build: true, run: ["out/main/cli.js"] },
  build: { build: "always", run: null },
  test: { build: true, run: ["scripts/test.ts"] },
  soak: { build: true, run: ["scripts/soak.ts"] },
  bench: { build: true, run: ["bench/index.ts"] },
  typecheck: { build: false, run: ["scripts/typecheck.ts"] },
  lint: { build: false, run: ["node_modules/eslint/bin/eslint.js", "."] },
  screenshots: { build: true, run: ["scripts/screenshots.ts"] },
  "check-package": { build: true, run: ["scripts/checkPackage.ts"] },
  "real-model": { build: true, run: ["scripts/realModel/index.ts"] },
  peers: { build: false, run: ["scripts/peers/index.ts"] },
};

const say = (text) => process.stderr.write(`${text}\n`);

function fail(text) {
  say(text);
  process.exit(1);
}

const [name = "", ...rest] = process.argv.slice(2);
const command = COMMANDS[name];
if (!command) fail(`Unknown command "${name}". Known: ${Object.keys(COMMANDS).join(", ")}.`);

const manifest = readFileSync(join(root, "package-lock.json"));
const always = command.build === "always";
if (!isInstalled()) await alone("installs packages", install);
if (command.build && (always || !isBuilt())) await alone("builds", (worker) => build(worker, always));
if (command.run) handOver([join(root, command.run[0]), ...command.run.slice(1), ...rest]);

/** Two commands of one folder never install or build at once: the second waits, and finds the work done. */
function alone(doing, work) {
  const file = join(root, ".bootstrap.lock");
  const waiting = ({ pid, host }) =>
    say(`Waiting: process ${pid} on ${host} ${doing} here. If no such process runs, delete ${file}.`);
  return withLock(file, waiting, work);
}

/** Whether node_modules was made whole from this lock file: the stamp is written last, and removed first. */
function isInstalled() {
  const stamp = join(modules, ".keystone-lock");
  if (!existsSync(stamp) || readFileSync(stamp, "utf8") !== lockHash() || !existsSync(node)) return false;
  return missingPackages().length === 0;
}

function lockHash() {
  return createHash("sha256").update(manifest).digest("hex");
}

/** Packages of the lock file that are not there; those for other platforms need not be. */
function missingPackages() {
  const { packages } = JSON.parse(manifest.toString("utf8"));
  return Object.entries(packages)
    .filter(([path, { optional, link }]) => path !== "" && !optional && !link)
    .map(([path]) => path)
    .filter((path) => !existsSync(join(root, path, "package.json")));
}

/** `npm ci` where node_modules is missing, not whole, made from another lock file, or lacks the packaged Node. */
async function install(worker) {
  // another command may have done it meanwhile
  if (isInstalled()) return;
  const stamp = join(modules, ".keystone-lock");
  if (!existsSync(modules)) say("Installing packages (first run) …");
  else if (!existsSync(stamp)) say("Installing packages (the last installation was not finished) …");
  else if (readFileSync(stamp, "utf8") !== lockHash()) say("Installing packages (the lock file changed) …");
  else say("Installing packages (some are missing) …");
  rmSync(stamp, { force: true });
  // onnxruntime-node's install script would fetch CUDA files from elsewhere; CPU and WebGPU come with the package.
  const environment = { ...process.env, ONNXRUNTIME_NODE_INSTALL: "skip", npm_config_loglevel: "error" };
  const status = await ended(worker, "npm", ["ci", "--no-audit", "--no-fund"], {
    env: environment,
    shell: process.platform === "win32",
  });
  if (status !== 0)
    fail("npm ci failed. Check the network and the messages above, then run the command again.");
  if (!existsSync(node)) {
    fail(
      "The packaged Node 24 is missing after npm ci. Allow its install script (npm config set ignore-scripts false) and run again.",
    );
  }
  const [missing] = missingPackages();
  if (missing !== undefined)
    fail(`npm ci left ${missing} out. Delete the folder node_modules and run the command again.`);
  writeFileSync(stamp, lockHash());
}

/** Whether out/ is newer than all that it is built from. */
function isBuilt() {
  const stamp = join(root, "out", ".built");
  const built = existsSync(stamp) ? statSync(stamp).mtimeMs : 0;
  const sources = ["src", "resources/icons", "electron.vite.config.ts", "package-lock.json", "package.json"];
  return sources.every((path) => newest(join(root, path)) <= built);
}

/** electron-vite build; what changes while it runs makes the next command build again. */
async function build(worker, always) {
  if (!always && isBuilt()) return;
  const stamp = join(root, "out", ".built");
  rmSync(stamp, { force: true });
  say("Building …");
  const started = Date.now();
  const script = join(modules, "electron-vite", "bin", "electron-vite.js");
  const status = await ended(worker, node, [script, "build", "--logLevel", "warn"]);
  if (status !== 0) fail("The build failed; see the messages above.");
  writeFileSync(stamp, "");
  utimesSync(stamp, started / 1000, started / 1000);
  say(`Built in ${((Date.now() - started) / 1000).toFixed(1)} s.`);
}

/** Runs a program in the project's folder, its output on stderr; gives its exit status. */
function ended(worker, program, args, options = {}) {
  const child = spawn(program, args, { cwd: root, stdio: ["ignore", 2, 2], ...options });
  if (child.pid !== undefined) worker(child.pid);
  return new Promise((resolve) => {
    child.on("error", (error) => {
      say(error.message);
      resolve(1);
    });
    child.on("exit", (code) => resolve(code ?? 1));
  });
}

/** Latest modification time below a path, in milliseconds; tests do not count. */
function newest(path) {
  if (!existsSync(path)) return 0;
  const entry = statSync(path);
  if (!entry.isDirectory()) return path.endsWith(".test.ts") ? 0 : entry.mtimeMs;
  return Math.max(entry.mtimeMs, ...readdirSync(path).map((child) => newest(join(path, child))));
}

/** Runs the command on the packaged Node and ends as it ends; it does not outlive the npm script that started us. */
function handOver(args) {
  const paths = `${join(modules, ".bin")}${process.platform === "win32" ? ";" : ":"}${process.env.PATH ?? ""}`;
  const child = spawn(node, ["--disable-warning=ExperimentalWarning", ...args], {
    cwd: name === "keystone" ? (process.env.INIT_CWD ?? process.cwd()) : root,
    env: { ...process.env, PATH: paths, KEYSTONE_ROOT: root },
    stdio: "inherit",
  });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  // Without npm between, the shell's own signals arrive, and `nohup` is meant.
  const watch = process.env.npm_lifecycle_event
    ? watchParents(() => {
        child.kill("SIGKILL");
        process.exit(1);
      })
    : undefined;
  child.on("error", (error) => fail(`Node 24 could not be started: ${error.message}.`));
  child.on("exit", (code, signal) => {
    clearInterval(watch);
    process.exit(signal ? 1 : (code ?? 1));
  });
}

/** Calls back once npm or its shell is gone: killed with -9 they cannot pass the signal on. */
function watchParents(gone) {
  const parent = process.ppid;
  const grandparent = parentOf(parent);
  return setInterval(() => {
    if (process.ppid !== parent || (grandparent !== null && parentOf(parent) !== grandparent)) gone();
  }, 500);
}

function parentOf(pid) {
  const parent = statOf(pid)?.[1];
  return parent === undefined ? null : Number(parent);
}
