/** A function whose calls are at least an interval apart: the first at once, the last never lost. */
export interface Throttled {
  (): void;
  /** Runs what is still due, now. */
  flush(): void;
}

export function throttle(work: () => void, intervalMs: number): Throttled {
  let last = -Infinity;
  let timer: NodeJS.Timeout | null = null;
  const run = (): void => {
    timer = null;
    last = performance.now();
    work();
  };
  const throttled = (): void => {
    if (timer) return;
    const due = last + intervalMs - performance.now();
    if (due <= 0) run();
    else timer = setTimeout(run, due);
  };
  throttled.flush = (): void => {
    if (!timer) return;
    clearTimeout(timer);
    run();
  };
  return throttled;
}
