import type { Studio, StudioOptions } from "#studio/studio.ts";

/** What a test replaces. */
export interface Dependencies {
  createStudio: (options: StudioOptions) => Promise<Studio>;
}
