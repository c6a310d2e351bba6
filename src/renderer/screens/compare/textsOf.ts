import { outliving } from "#renderer/state/outliving.svelte.ts";
import type { Studio } from "#renderer/state/studio.svelte.ts";
import { Texts } from "./texts.svelte.ts";

const kept = new Map<string, Texts>();
let latest: { readonly model: string; readonly texts: Texts } | null = null;

/**
 * The texts of the open model and these variants, as they were left; of others with the settings that were used last.
 * @param party the variants' ids, in their order
 */
export function textsOf(studio: Studio, party: string): Texts {
  const model = studio.model?.path ?? "";
  const key = `${model}\n${party}`;
  const before = latest?.model === model ? latest.texts : null;
  const texts = kept.get(key) ?? outliving(() => new Texts(studio, before));
  kept.set(key, texts);
  latest = { model, texts };
  return texts;
}
