import type { Judge } from "#shared/plan.ts";
import type { Architecture } from "#engine/architecture/decoder/architecture.ts";
import { readRows } from "#engine/files/documents/readDocuments.ts";
import type { Tokenizer } from "#engine/tokenizer/tokenizer.ts";
import type { WindowSet } from "./windowSet.ts";
import { cutWindows } from "./windows.ts";

/** A text as the model will see it. @throws KeystoneError text/…, usage/… */
export async function windowsOf(
  model: { readonly architecture: Architecture; tokenizer(): Promise<Tokenizer> },
  text: string,
  judge: Judge,
): Promise<WindowSet> {
  return cutWindows(
    await readRows(text),
    await model.tokenizer(),
    judge,
    model.architecture.facts.contextLength,
  );
}
