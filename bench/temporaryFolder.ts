import { rmSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Hands `body` a fresh folder and removes it afterwards, also after a failure or Ctrl-C. */
export async function inTemporaryFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "keystone-bench-"));
  const leave = (): void => {
    rmSync(folder, { recursive: true, force: true });
    process.exit(130);
  };
  process.on("SIGINT", leave);
  process.on("SIGTERM", leave);
  try {
    await body(folder);
  } finally {
    process.off("SIGINT", leave);
    process.off("SIGTERM", leave);
    await rm(folder, { recursive: true, force: true });
  }
}
