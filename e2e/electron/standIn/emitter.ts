import { EventEmitter } from "node:events";

/** An event that can be prevented, as Electron hands it to its listeners. */
export class PreventableEvent {
  defaultPrevented = false;
  preventDefault(): void {
    this.defaultPrevented = true;
  }
}

/** Emits an event that listeners may prevent; true = nobody did. */
export function emitPreventable(
  emitter: EventEmitter,
  name: string,
  facts: object = {},
  ...rest: unknown[]
): boolean {
  const event = Object.assign(new PreventableEvent(), facts);
  emitter.emit(name, event, ...rest);
  return !event.defaultPrevented;
}
