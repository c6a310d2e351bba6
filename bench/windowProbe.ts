import type { Page } from "@playwright/test";

/**
 * What runs in the page. A frame has ended when a message that its first callback posted arrives: style, layout and
 * paint of the main thread lie between the two.
 */
const PROBE = `
window.probe = (() => {
  const afterFrame = (work) => requestAnimationFrame(() => {
    const channel = new MessageChannel();
    channel.port1.onmessage = work;
    channel.port2.postMessage(null);
  });
  const arm = (type) => {
    window.probe.taken = new Promise((resolve) => {
      addEventListener(type, (event) => afterFrame(() => resolve(performance.now() - event.timeStamp)), { capture: true, once: true });
    });
  };
  const shown = (selector) => new Promise((resolve) => {
    const look = () => document.querySelector(selector) ? afterFrame(() => resolve(performance.now())) : setTimeout(look, 1);
    look();
  });
  const watchFrames = () => {
    const frames = [];
    let last = null;
    const frame = (now) => {
      if (last !== null) frames.push(now - last);
      last = now;
      requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
    window.probe.frames = frames;
  };
  const watchLongTasks = () => {
    window.probe.long = [];
    const note = (list) => window.probe.long.push(...list.getEntries().map(({ duration }) => duration));
    window.probe.observer ??= new PerformanceObserver(note);
    window.probe.observer.observe({ type: "longtask", buffered: false });
  };
  return { arm, shown, watchFrames, watchLongTasks, taken: null, frames: [], long: [] };
})();
`;

/** Puts the probe into every document the page loads. */
export async function addProbe(page: Page): Promise<void> {
  await page.addInitScript({ content: PROBE });
}

/**
 * Milliseconds from the moment the browser took an input to the end of the frame that follows it. The event's own
 * time stamp is used, so that waiting for a busy main thread counts.
 */
export async function latency(
  page: Page,
  event: "keydown" | "click" | "mousemove",
  act: () => Promise<void>,
): Promise<number> {
  await page.evaluate(`window.probe.arm(${JSON.stringify(event)})`);
  await act();
  return page.evaluate<number>("window.probe.taken");
}

/** Milliseconds from the navigation's start until what the selector names is drawn. */
export function timeUntilShown(page: Page, selector: string): Promise<number> {
  return page.evaluate<number>(`window.probe.shown(${JSON.stringify(selector)})`);
}

/** Begins to note the time between frames. */
export async function watchFrames(page: Page): Promise<void> {
  await page.evaluate("window.probe.watchFrames()");
}

/** The frame times so far, in milliseconds. */
export function frameTimes(page: Page): Promise<number[]> {
  return page.evaluate<number[]>("window.probe.frames");
}

/** Begins to note tasks of the main thread that take over 50 ms, as browsers count them; those noted before are let go. */
export async function watchLongTasks(page: Page): Promise<void> {
  await page.evaluate("window.probe.watchLongTasks()");
}

/** The long tasks since {@link watchLongTasks}, in milliseconds. */
export function longTasks(page: Page): Promise<number[]> {
  return page.evaluate<number[]>("window.probe.long");
}
