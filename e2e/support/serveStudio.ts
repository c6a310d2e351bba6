import { join } from "node:path";
import type { Args, CallName, Reply } from "#shared/contract/contract.ts";
import { serve } from "../../src/serve/index.ts";
import { createStudio } from "../../src/studio/createStudio.ts";
import type { Studio, StudioOptions } from "../../src/studio/context/studio.ts";

const ROOT = join(import.meta.dirname, "../..");

/**
 * Serves a studio whose parts a script chose, from the folder it was given; prints the address and ends with SIGINT.
 * @param wrap what the windows talk to instead of the studio itself
 */
export async function serveStudio(
  folder: string,
  options: StudioOptions = {},
  wrap: (studio: Studio) => Studio = (studio) => studio,
): Promise<void> {
  const demo = join(ROOT, "resources", "demo-model");
  const texts = join(ROOT, "resources", "texts");
  const studio = createStudio({
    home: join(folder, "home"),
    demoModel: join(demo, "model"),
    ownText: join(texts, "keystone-own-text.jsonl"),
    roots: [folder, demo, texts],
    shell: "browser",
    ...options,
  });
  const rendererFolder = join(ROOT, "out", "renderer");
  const served = await serve({ studio: wrap(studio), rendererFolder, host: "127.0.0.1", port: 0 });
  process.once("SIGINT", () => void served.close().then(() => studio.close()));
  process.stdout.write(`${served.url}\n`);
}

/** A studio whose calls are answered by `answer`; everything else is the studio's own. */
export function answeredBy(
  studio: Studio,
  answer: <C extends CallName>(name: C, args: Args<C>) => Promise<Reply<C>>,
): Studio {
  return {
    home: studio.home,
    on: (listener) => studio.on(listener),
    close: () => studio.close(),
    call: answer,
  };
}
