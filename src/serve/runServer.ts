import type { Note } from "#shared/notes.ts";
import { resolve } from "node:path";
import { linkedFile } from "#studio/models/access.ts";
import { createStudio } from "#studio/createStudio.ts";
import { KeystoneError } from "#shared/errors.ts";
import { isLoopback, serve, type Served } from "./index.ts";

export interface RunServerOptions {
  /** Folders a browser may open models from and export to; empty = the current folder. */
  folders: readonly string[];
  /** Null = 4646, or any free port where that one is taken. */
  port: number | null;
  host: string;
  home?: string;
  demoModel: string | null;
  /** The text that ships with the program, or null. */
  ownText: string | null;
  rendererFolder: string;
  version: string;
}

const DEFAULT_PORT = 4646;

/** Starts a studio limited to the given folders and serves it; the caller prints the address and closes it. */
export async function runServer(options: RunServerOptions): Promise<Served & { notes: Note[] }> {
  const roots = (options.folders.length > 0 ? options.folders : ["."]).flatMap((folder) => {
    const path = resolve(folder);
    const file = linkedFile(path);
    return file === null ? [path] : [path, file];
  });
  if (options.demoModel !== null) roots.push(resolve(options.demoModel, ".."));
  if (options.ownText !== null) roots.push(resolve(options.ownText, ".."));
  const studio = createStudio({
    ...(options.home === undefined ? {} : { home: options.home }),
    demoModel: options.demoModel,
    ownText: options.ownText,
    roots,
    shell: "browser",
    version: options.version,
  });
  try {
    const served = await listenSomewhere(
      { studio, rendererFolder: options.rendererFolder, host: options.host },
      options.port,
    );
    const notes = isLoopback(options.host)
      ? []
      : [
          {
            code: "serve/not-loopback",
            text: `Anyone who can reach ${options.host} and has the token can use this studio; the connection is not encrypted.`,
          },
        ];
    return {
      ...served,
      notes,
      close: async () => {
        await served.close();
        await studio.close();
      },
    };
  } catch (thrown) {
    await studio.close();
    throw thrown;
  }
}

async function listenSomewhere(
  options: Omit<Parameters<typeof serve>[0], "port">,
  port: number | null,
): Promise<Served> {
  try {
    return await serve({ ...options, port: port ?? DEFAULT_PORT });
  } catch (thrown) {
    const taken = thrown instanceof KeystoneError && thrown.code === "serve/cannot-listen";
    if (port !== null || !taken) throw thrown;
    return serve({ ...options, port: 0 });
  }
}
