import type { ToBrowser, ToMain } from "./messages.ts";

/** The main process's end of the line to the process that drives Chromium. */
export function tell(message: ToBrowser): void {
  if (!process.send)
    throw new Error("The stand-in for Electron runs only as a child of the test that drives Chromium.");
  if (process.connected) process.send(message);
}

type Asked = Extract<ToMain, { id: number }>;
type Told = Exclude<ToMain, Asked>;

const heard = new Map<string, (message: never) => void>();
const answers = new Map<string, (message: never) => unknown>();

/** What to do with a message of a type that needs no answer. */
export function hear<T extends Told["type"]>(
  type: T,
  listener: (message: Extract<Told, { type: T }>) => void,
): void {
  heard.set(type, listener);
}

/** Answers every message of a type that carries an id; what it throws becomes the error. */
export function answer<T extends Asked["type"]>(
  type: T,
  work: (message: Extract<Asked, { type: T }>) => unknown,
): void {
  answers.set(type, work);
}

process.on("message", (message: ToMain) => {
  if (!("id" in message)) {
    heard.get(message.type)?.(message as never);
    return;
  }
  const { id, type } = message;
  Promise.resolve()
    .then(() => answers.get(type)?.(message as never))
    .then(
      (value) => tell({ type: "answer", id, value, error: null }),
      (thrown: unknown) =>
        tell({
          type: "answer",
          id,
          value: null,
          error: thrown instanceof Error ? thrown.message : String(thrown),
        }),
    );
});
