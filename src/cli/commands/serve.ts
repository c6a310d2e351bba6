import { Command } from "commander";
import { statSync } from "node:fs";
import { join } from "node:path";
import { absolute } from "../session/files.ts";
import type { Io } from "../output/io.ts";
import { dropUndefined, wholeNumber } from "../session/options.ts";
import type { CommandContext } from "../session/commandContext.ts";
import { usageError } from "../session/reportError.ts";
import { demoModelFolder, ownTextFile, rootFolder, version } from "../session/root.ts";

interface ServeOptions {
  port?: number;
  host: string;
  home?: string;
}

/** `serve [FOLDER…]`: the studio in a browser. The server is a face of its own, loaded only when asked for. */
export function serveCommand({ io }: CommandContext): Command {
  return new Command("serve")
    .description("open the studio in a browser: prints one address with its token, and serves until Ctrl-C")
    .argument(
      "[folders...]",
      "folders that the browser may open models from and export to (default: the current one)",
    )
    .option(
      "--port <n>",
      "port, 0 = any free one (default: 4646, or a free one where it is taken)",
      wholeNumber(0, 65_535),
    )
    .option("--host <address>", "address to bind; anything but loopback lets other machines in", "127.0.0.1")
    .option(
      "--home <folder>",
      "folder of the run store, settings and caches (default: KEYSTONE_HOME, else the platform's application-data folder)",
    )
    .action((folders: string[], options: ServeOptions) => serveUntilInterrupted(io, folders, options));
}

async function serveUntilInterrupted(
  io: Io,
  folders: readonly string[],
  options: ServeOptions,
): Promise<void> {
  const opened = (folders.length > 0 ? folders : ["."]).map((folder) => absolute(io, folder));
  const missing = opened.find(
    (folder) => !(statSync(folder, { throwIfNoEntry: false })?.isDirectory() ?? false),
  );
  if (missing !== undefined)
    throw usageError(`There is no folder ${missing}.`, "Name folders that the browser may open models from.");
  const { runServer } = await import("../../serve/runServer.ts");
  const served = await runServer({
    folders: opened,
    port: options.port ?? null,
    host: options.host,
    demoModel: demoModelFolder(),
    ownText: ownTextFile(),
    rendererFolder: join(rootFolder(), "out", "renderer"),
    version: version(),
    ...dropUndefined({ home: options.home ?? io.env["KEYSTONE_HOME"] }),
  });
  io.stdout.write(`${served.url}\n`);
  for (const { text } of served.notes) io.stderr.write(`${text}\n`);
  let stopListening = (): void => undefined;
  await new Promise<void>((resolve) => {
    stopListening = io.onInterrupt(resolve);
  });
  await served.close();
  stopListening();
}
