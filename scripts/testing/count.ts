/** What a step of the tests came to. */
export interface Count {
  passed: number;
  failed: number;
  /** What failed and why, repeated at the end: a log that was cut keeps its last lines. */
  failures?: readonly string[];
  /** Files that were run once more because their process had ended, with what it said last; `passed` and `failed` count the second run. */
  secondTries?: readonly string[];
  /** How long each file took. */
  times?: readonly FileTime[];
}

/** A file of tests and the seconds that it took. */
export interface FileTime {
  name: string;
  seconds: number;
}

/** Of a failed test's message at the end of the output: enough for the assertion and where it stands. */
const MESSAGE_LINES = 25;

const SLOWEST = 15;

/** The files that took longest, a line each: where a suite that grew slow is to be made faster. */
export function slowest(times: readonly FileTime[]): string[] {
  return times
    .toSorted((a, b) => b.seconds - a.seconds)
    .slice(0, SLOWEST)
    .map(({ name, seconds }) => `${seconds.toFixed(0).padStart(5)} s  ${name}`);
}

/** A failed test's name and the beginning of its messages. */
export function failure(name: string, ...messages: readonly string[]): string {
  const text = messages.map((message) => message.split("\n").slice(0, MESSAGE_LINES).join("\n"));
  return [name, ...text].join("\n");
}
