import type { Page } from "@playwright/test";
import { spawn, type ChildProcess } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { test as base } from "./quietTest.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const START_MS = 60_000;

/** A `keystone serve` of its own: free port, empty home, one folder a browser may write to. */
export interface Served {
  /** The address with its token. */
  url: string;
  /** Folder that was allowed: exports go here. */
  folder: string;
  demoModel: string;
}

type Variables = Readonly<Record<string, string>>;

/**
 * Starts a server in a scratch folder; `close` stops it and removes the folder.
 * @param script a module that serves a studio of its own from the folder it is given and prints the address; default
 *   `keystone serve`
 * @param env variables that it starts with, beside this process's own
 */
export async function startServed(
  script?: string,
  env: Variables | ((folder: string) => Variables) = {},
): Promise<Served & { close(): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), "keystone-e2e-"));
  const server = start(
    script === undefined
      ? [join(ROOT, "src", "cli", "index.ts"), "serve", folder, "--port", "0", "--home", join(folder, "home")]
      : [script, folder],
    typeof env === "function" ? env(folder) : env,
  );
  const close = async (): Promise<void> => {
    await stop(server);
    await rm(folder, { recursive: true, force: true });
  };
  try {
    return {
      url: await addressOf(server),
      folder,
      demoModel: join(ROOT, "resources", "demo-model", "model"),
      close,
    };
  } catch (thrown) {
    await close();
    throw thrown;
  }
}

/** A quiet test with one server a worker; `page` has its cookie already. */
export const test = base.extend<{ keystone: Page }, { served: Served }>({
  served: [
    // Playwright reads the fixtures a fixture needs from this pattern; an empty one needs none.
    // eslint-disable-next-line no-empty-pattern
    async ({}, use) => {
      const served = await startServed();
      try {
        await use(served);
      } finally {
        await served.close();
      }
    },
    { scope: "worker", timeout: START_MS },
  ],
  keystone: async ({ page, served }, use) => {
    await page.goto(served.url);
    await use(page);
  },
});

function start(args: readonly string[], env: Variables): ChildProcess {
  if (!existsSync(join(ROOT, "out", "renderer", "index.html"))) {
    throw new Error("The window is not built: run `npm run build` first.");
  }
  const packaged = join(ROOT, "node_modules", "node", "bin", "node");
  const node = existsSync(packaged) ? packaged : process.execPath;
  return spawn(node, ["--disable-warning=ExperimentalWarning", ...args], {
    cwd: ROOT,
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "inherit"],
  });
}

/** The first line that the server prints. */
async function addressOf(served: ChildProcess): Promise<string> {
  let printed = "";
  for await (const chunk of served.stdout ?? []) {
    printed += String(chunk);
    const line = /^(http:\S+)\n/.exec(printed)?.[1];
    if (line !== undefined) return line;
  }
  throw new Error(`The server ended without an address: ${printed}`);
}

async function stop(served: ChildProcess): Promise<void> {
  if (served.exitCode !== null) return;
  const ended = new Promise((resolve) => served.once("exit", resolve));
  served.kill("SIGINT");
  const late = setTimeout(() => served.kill("SIGKILL"), 10_000);
  await ended;
  clearTimeout(late);
}
