import type { DesktopBridge } from "#shared/command.ts";
import type { Args, CallName, Host, Reply } from "#shared/contract/contract.ts";
import type { NumberedEvent } from "#shared/contract/events.ts";
import { errorFrom } from "./transport.ts";

/** The studio behind Electron's preload. */
export class ElectronHost implements Host {
  readonly #bridge: DesktopBridge;

  constructor(bridge: DesktopBridge) {
    this.#bridge = bridge;
  }

  async call<C extends CallName>(name: C, args: Args<C>): Promise<Reply<C>> {
    // A Svelte proxy cannot be cloned across the bridge; JSON can.
    const answer = await this.#bridge.call(name, JSON.parse(JSON.stringify(args)));
    if (!answer.ok) throw errorFrom(answer.error);
    return answer.reply as Reply<C>;
  }

  subscribe(listener: (event: NumberedEvent) => void): () => void {
    return this.#bridge.onEvent((event) => listener(event as NumberedEvent));
  }

  onConnection(listener: (state: "open" | "lost") => void): () => void {
    listener("open");
    return () => undefined;
  }
}
