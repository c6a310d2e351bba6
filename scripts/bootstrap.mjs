// The door of every npm script. Runs on the Node the system has (20 or newer), installs and builds what is missing,
// says what it does on stderr, and hands over to the packaged Node 24 that everything else runs on.
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

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
  bench: { build: true, run: ["bench/index.ts"] },
  typecheck: { build: false, run: ["scripts/typecheck.ts"] },
  lint: { build: false, run: ["node_modules/eslint/bin/eslint.js", "."] },
  screenshots: { build: true, run: ["scripts/screenshots.ts"] },
  "check-package": { build: true, run: ["scripts/checkPackage.ts"] },
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

install();
if (command.build) build(command.build === "always");
if (command.run) handOver([join(root, command.run[0]), ...command.run.slice(1), ...rest]);

/** `npm ci` where node_modules is missing, was made from another lock file, or lacks the packaged Node. */
function install() {
  const stamp = join(modules, ".keystone-lock");
  const lock = createHash("sha256")
    .update(readFileSync(join(root, "package-lock.json")))
    .digest("hex");
  const current = existsSync(stamp) ? readFileSync(stamp, "utf8") : null;
  if (current === lock && existsSync(node)) return;
  say(
    existsSync(modules)
      ? "Installing packages (the lock file changed) …"
      : "Installing packages (first run) …",
  );
  // onnxruntime-node's install script would fetch CUDA files from elsewhere; CPU and WebGPU come with the package.
  const environment = { ...process.env, ONNXRUNTIME_NODE_INSTALL: "skip", npm_config_loglevel: "error" };
  const done = spawnSync("npm", ["ci", "--no-audit", "--no-fund"], {
    cwd: root,
    env: environment,
    stdio: ["ignore", 2, 2],
    shell: process.platform === "win32",
  });
  if (done.status !== 0)
    fail("npm ci failed. Check the network and the messages above, then run the command again.");
  if (!existsSync(node)) {
    fail(
      "The packaged Node 24 is missing after npm ci. Allow its install script (npm config set ignore-scripts false) and run again.",
    );
  }
  writeFileSync(stamp, lock);
}

/** electron-vite build where out/ is missing or older than what it is built from. */
function build(always) {
  const stamp = join(root, "out", ".built");
  const built = existsSync(stamp) ? statSync(stamp).mtimeMs : 0;
  const sources = ["src", "resources/icons", "electron.vite.config.ts", "package-lock.json", "package.json"];
  if (!always && sources.every((path) => newest(join(root, path)) <= built)) return;
  say("Building …");
  const started = Date.now();
  const done = spawnSync(
    node,
    [join(modules, "electron-vite", "bin", "electron-vite.js"), "build", "--logLevel", "warn"],
    {
      cwd: root,
      stdio: ["ignore", 2, 2],
    },
  );
  if (done.status !== 0) fail("The build failed; see the messages above.");
  writeFileSync(stamp, "");
  say(`Built in ${((Date.now() - started) / 1000).toFixed(1)} s.`);
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
  if (process.platform !== "linux") return null;
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
  } catch {
    return null;
  }
}
