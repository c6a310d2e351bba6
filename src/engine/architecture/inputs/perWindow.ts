import type { InputQuantization } from "./inputQuantization.ts";

/** Whether a scale or a median is that of a whole window: its padding would count, and so would another branch of it. */
export function perWindow({ per, residualChannels, downChannels }: InputQuantization): boolean {
  return per === "tensor" || residualChannels.length > 0 || downChannels.length > 0;
}
