/** What a step of the tests came to. */
export interface Count {
  passed: number;
  failed: number;
  /** What failed and why, repeated at the end: a log that was cut keeps its last lines. */
  failures?: readonly string[];
  /** Files that were run once more because their process had ended, with what it said last; `passed` and `failed` count the second run. */
  secondTries?: readonly string[];
}

/** Of a failed test's message at the end of the output: enough for the assertion and where it stands. */
const MESSAGE_LINES = 25;

/** A failed test's name and the beginning of its messages. */
export function failure(name: string, ...messages: readonly string[]): string {
  const text = messages.map((message) => message.split("\n").slice(0, MESSAGE_LINES).join("\n"));
  return [name, ...text].join("\n");
}
