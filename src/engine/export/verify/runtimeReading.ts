import type { ExportFormat } from "#shared/exporting.ts";

type Config = Readonly<Record<string, unknown>>;

/**
 * A reopened export's config as the runtime of its format takes it. llama.cpp has sliding windows switched off for every family
 * that is exported, whatever the metadata says of them; all other runtimes follow the config.
 */
export function runtimeReading(format: ExportFormat, config: Config): Config {
  return format === "gguf" ? { ...config, sliding_window: null } : config;
}
