import type { Host } from "#shared/contract/contract.ts";
import { toErrorData, type KeystoneErrorData } from "#shared/errors.ts";
import type { VariantDetail } from "#shared/run.ts";
import { SvelteMap } from "svelte/reactivity";

/** Errors by layer and tensor of the variants of one run, read when they are first asked for. */
export class Profiles {
  readonly details = new SvelteMap<string, VariantDetail>();
  error: KeystoneErrorData | null = $state.raw(null);
  readonly #host: Host;
  readonly #run: string;
  readonly #asked: string[] = [];

  constructor(host: Host, run: string) {
    this.#host = host;
    this.#run = run;
  }

  async wish(variant: string): Promise<void> {
    if (this.#asked.includes(variant)) return;
    this.#asked.push(variant);
    try {
      this.details.set(variant, await this.#host.call("run:variant", { run: this.#run, variant }));
    } catch (thrown) {
      this.error = toErrorData(thrown);
    }
  }
}
