/** Rows that follow one another, at most `most` at a time. @param work first row, their number, and how many came before */
export async function forRuns(
  wanted: ArrayLike<number>,
  most: number,
  work: (from: number, count: number, done: number) => Promise<void>,
): Promise<void> {
  for (let done = 0; done < wanted.length;) {
    const from = wanted[done];
    let count = 1;
    while (count < most && done + count < wanted.length && wanted[done + count] === from + count) count++;
    await work(from, count, done);
    done += count;
  }
}
