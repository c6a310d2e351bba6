import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { z } from "zod";

const MIN_WIDTH = 1100;
const MIN_HEIGHT = 720;

const windowState = z.object({
  x: z.number().int().optional(),
  y: z.number().int().optional(),
  width: z.number().int().min(MIN_WIDTH),
  height: z.number().int().min(MIN_HEIGHT),
  maximized: z.boolean(),
});
export type WindowState = z.infer<typeof windowState>;

/** The smallest window the interface is made for. */
export const SMALLEST = { width: MIN_WIDTH, height: MIN_HEIGHT };

const FIRST: WindowState = { width: 1440, height: 900, maximized: false };

/** Where the window was when it was last closed; the first size where that is unknown, damaged or on no display. */
export function readWindowState(
  file: string,
  displays: readonly { x: number; y: number; width: number; height: number }[],
): WindowState {
  try {
    const state = windowState.parse(JSON.parse(readFileSync(file, "utf8")));
    const { x, y } = state;
    if (x === undefined || y === undefined) return state;
    const seen = displays.some(
      (d) => x + 100 < d.x + d.width && x + state.width > d.x + 100 && y >= d.y && y + 40 < d.y + d.height,
    );
    return seen ? state : { width: state.width, height: state.height, maximized: state.maximized };
  } catch {
    return FIRST;
  }
}

/** Remembers it; a failure is not worth a word to the person who closes a window. */
export function writeWindowState(file: string, state: WindowState): void {
  try {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, JSON.stringify(windowState.parse(state)));
  } catch {
    // The next start opens at the first size.
  }
}
