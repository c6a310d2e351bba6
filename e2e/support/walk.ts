import type { Locator, Page } from "@playwright/test";
import type { Args, CallName, Reply } from "#shared/contract/contract.ts";

/** A run of the walk. No label of a variant stands in two runs, so that each says which run it is of. */
export interface WalkedRun {
  id: string;
  /** Name of its model. */
  model: string;
  labels: readonly string[];
}

/** One export that the walk began, with what was on screen as it was pressed. */
export interface Pressed {
  model: string;
  label: string;
  folder: string;
}

/** Asks the studio itself, past the window. */
export async function ask<C extends CallName>(page: Page, call: C, args: Args<C>): Promise<Reply<C>> {
  const answer = await page.evaluate(
    ([name, given]) =>
      new Promise<string>((resolve, reject) => {
        const socket = new WebSocket(`ws://${location.host}/socket`);
        socket.onerror = () => reject(new Error("no connection"));
        socket.onopen = () => socket.send(JSON.stringify({ id: 1, call: name, args: given }));
        socket.onmessage = ({ data }) => {
          const message = JSON.parse(String(data)) as { id?: number; error?: unknown };
          if (message.id !== 1) return;
          socket.close();
          if (message.error === undefined) resolve(String(data));
          else reject(new Error(JSON.stringify(message.error)));
        };
      }),
    [call, args] as const,
  );
  return (JSON.parse(answer) as { reply: Reply<C> }).reply;
}

/** Numbers in [0, 1) that a seed makes again (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** What a window shows at one moment, read in one go. */
export interface Moment {
  place: string;
  model: string | null;
  heading: string | null;
  text: string;
}

export function momentOf(page: Page): Promise<Moment> {
  return page.evaluate(() => ({
    place: location.hash,
    model: document.querySelector(".nav-model .name")?.textContent?.trim() ?? null,
    heading: document.querySelector("main h1")?.textContent ?? null,
    text: document.querySelector("main")?.innerText ?? "",
  }));
}

/** One of some, or nothing of none. */
export function oneOf<T>(random: () => number, all: readonly T[]): T | undefined {
  return all[Math.floor(random() * all.length)];
}

/** Presses one of what a locator finds, where there is any that can be pressed now. */
export async function pressOne(random: () => number, found: Locator): Promise<void> {
  const one = oneOf(random, await found.all());
  // What was there a moment ago may be gone: then there is nothing to press, as for a person.
  await one?.click({ timeout: 400 }).catch(() => undefined);
}
