import type { DesktopBridge } from "#shared/command.ts";
import { KeystoneError, toErrorData } from "#shared/errors.ts";

declare global {
  interface Window {
    /** Put there by the preload; absent in a browser. */
    readonly keystone?: DesktopBridge;
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
