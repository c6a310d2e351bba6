/** An answer with the question it was given to. */
export interface Answered<T> {
  readonly key: string;
  readonly answer: T;
}

/** A question as a key: alike questions have one key. */
export function keyOf(question: unknown): string {
  return JSON.stringify(question);
}

/** The answer, if it was given to this question. */
export function answerTo<T>(answered: Answered<T> | null, key: string): T | null {
  return answered?.key === key ? answered.answer : null;
}
