import { KeystoneError, toErrorData } from "#shared/errors.ts";
import type { NumberedEvent } from "#shared/events.ts";

/** What the preload exposes as `window.keystone`. */
export interface KeystoneBridge {
  call(name: string, args: unknown): Promise<{ ok: true; reply: unknown } | { ok: false; error: unknown }>;
  /** Returns the way to stop. */
  onEvent(listener: (event: NumberedEvent) => void): () => void;
  /** Where a dropped file or folder lies on disk; the web platform does not tell. */
  pathForFile?(file: File): string;
}

declare global {
  interface Window {
    readonly keystone?: KeystoneBridge;
  }
}

/** A set of listeners and the way to leave it. */
export class Listeners<T> {
  readonly #all = new Set<(value: T) => void>();

  add(listener: (value: T) => void): () => void {
    this.#all.add(listener);
    return () => this.#all.delete(listener);
  }

  emit(value: T): void {
    for (const listener of this.#all) listener(value);
  }
}

/** The studio's error data, whatever it looked like on arrival, as a KeystoneError. */
export function errorFrom(data: unknown): KeystoneError {
  return KeystoneError.fromData(toErrorData(data));
}
