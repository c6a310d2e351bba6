import { homedir } from "node:os";
import { join } from "node:path";
import type { FoundModel } from "#shared/contract/contract.ts";

/** A folder in which another program keeps the models it downloaded, and how they lie there. */
export interface ModelCache {
  readonly owner: FoundModel["owner"];
  readonly folder: string;
  /** `hub`: models--owner--name/snapshots/revision; `files`: GGUF files, in folders of any name or beside each other. */
  readonly layout: "hub" | "files";
}

export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Where this machine's caches are, whether they exist or not: Hugging Face's (HF_HUB_CACHE, HF_HOME, XDG_CACHE_HOME as
 * huggingface_hub reads them), LM Studio's and llama.cpp's (LLAMA_CACHE).
 */
export function modelCaches(
  env: Environment = process.env,
  home: string = homedir(),
  platform: NodeJS.Platform = process.platform,
): ModelCache[] {
  const named = (name: string): string | null => env[name] || null;
  const cache = named("XDG_CACHE_HOME") ?? join(home, ".cache");
  const hub =
    named("HF_HUB_CACHE") ??
    named("HUGGINGFACE_HUB_CACHE") ??
    join(named("HF_HOME") ?? join(cache, "huggingface"), "hub");
  const llama = named("LLAMA_CACHE") ?? join(systemCache(platform, home, env, cache), "llama.cpp");
  return [
    { owner: "Hugging Face", folder: hub, layout: "hub" },
    { owner: "LM Studio", folder: join(home, ".lmstudio", "models"), layout: "files" },
    { owner: "LM Studio", folder: join(home, ".cache", "lm-studio", "models"), layout: "files" },
    { owner: "llama.cpp", folder: llama, layout: "files" },
  ];
}

/** The folder that llama.cpp takes for caches on each system. */
function systemCache(platform: NodeJS.Platform, home: string, env: Environment, cache: string): string {
  if (platform === "darwin") return join(home, "Library", "Caches");
  if (platform === "win32") return env["LOCALAPPDATA"] || join(home, "AppData", "Local");
  return cache;
}
