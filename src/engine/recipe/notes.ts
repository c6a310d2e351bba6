/** Sentences for the person, each once, in the order they came up. */
export class Notes {
  private readonly said = new Set<string>();

  add(sentence: string): void {
    this.said.add(sentence);
  }

  sentences(): readonly string[] {
    return [...this.said];
  }
}

/** `"a"`, or `3 tensors (first "a")`: so that one note stands for many tensors. */
export function tensorsInWords(names: readonly string[]): string {
  const [first = ""] = names;
  return names.length === 1 ? `"${first}"` : `${names.length} tensors (first "${first}")`;
}
