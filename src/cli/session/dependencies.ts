import type { Studio, StudioOptions } from "#studio/context/studio.ts";

/** What a test replaces. */
export interface Dependencies {
  createStudio: (options: StudioOptions) => Promise<Studio>;
}
