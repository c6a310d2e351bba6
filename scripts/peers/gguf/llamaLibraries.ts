import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PeerMissing } from "../peer.ts";

/** Carries llama.cpp's shared libraries, built by its publisher; no dependency of Keystone. */
const VERSION = "3.22.1";

export interface LlamaLibraries {
  readonly folder: string;
  /** Of the package, and the release of llama.cpp in it. */
  readonly versions: Readonly<Record<string, string>>;
}

/**
 * llama.cpp's libraries for this machine, from a package that is fetched once into a folder for temporary files.
 * @throws PeerMissing where there is none for this system, or it cannot be fetched
 */
export function llamaLibraries(): LlamaLibraries {
  const platform = `${process.platform}-${process.arch}`;
  if (!["linux-x64", "linux-arm64"].includes(platform))
    throw new PeerMissing(`llama.cpp is run on Linux; this is ${platform}.`);
  const name = `@node-llama-cpp/${platform}`;
  const folder = join(fetchPackage(name), "bins", platform);
  const built = JSON.parse(readFileSync(join(folder, "_nlcBuildMetadata.json"), "utf8")) as {
    buildOptions: { llamaCpp: { release: string } };
  };
  return { folder, versions: { "llama.cpp": built.buildOptions.llamaCpp.release, [name]: VERSION } };
}

/** Where a package of npm's registry lies, unpacked. */
function fetchPackage(name: string): string {
  const cache = join(tmpdir(), `keystone-peers-llama-${VERSION}`);
  const unpacked = join(cache, "package");
  if (existsSync(unpacked)) return unpacked;
  const part = `${cache}.${process.pid}.part`;
  try {
    mkdirSync(part, { recursive: true });
    const archive = execFileSync("npm", ["pack", "--loglevel=error", `${name}@${VERSION}`], {
      cwd: part,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "inherit"],
    });
    execFileSync("tar", ["xzf", archive.trim()], { cwd: part });
    renameSync(part, cache);
  } catch (error) {
    rmSync(part, { recursive: true, force: true });
    throw new PeerMissing(
      `llama.cpp's libraries (${name}@${VERSION}) could not be fetched; the messages above say why.`,
      { cause: error },
    );
  }
  return unpacked;
}

/** Runs llama.py on a job. */
export function llama(libraries: LlamaLibraries, job: unknown, python = "python3"): unknown {
  const script = join(import.meta.dirname, "llama.py");
  const output = execFileSync(python, [script, libraries.folder], {
    input: JSON.stringify(job),
    encoding: "utf8",
    maxBuffer: 1 << 28,
    stdio: ["pipe", "pipe", "inherit"],
  });
  return JSON.parse(output);
}
