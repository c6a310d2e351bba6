/** What the process that runs the app's main bundle and the one that drives Chromium tell each other. */

/** A frame as a message's sender. Addresses are the app's own (`app://…`). */
export interface FrameFacts {
  url: string;
  /** Address of the frame around it; null for a page's top frame. */
  parent: string | null;
}

/** From the main process to Chromium. */
export type ToBrowser =
  | { type: "open"; window: number; width: number; height: number; preload: string }
  | { type: "load"; window: number; url: string }
  | { type: "reload"; window: number }
  | { type: "send"; window: number; channel: string; data: unknown[] }
  | { type: "close"; window: number }
  | { type: "theme"; dark: boolean }
  | { type: "answer"; id: number; value: unknown; error: string | null };

/** From Chromium, or from the test, to the main process. Those with an id are answered. */
export type ToMain =
  | { type: "ready"; dark: boolean }
  | { type: "loaded"; window: number; url: string }
  | { type: "closed"; window: number }
  | { type: "post"; window: number; frame: FrameFacts; channel: string; data: unknown[] }
  | { type: "invoke"; id: number; window: number; frame: FrameFacts; channel: string; data: unknown[] }
  /** A request of a page: goes through `webRequest`, then to the handler of its scheme. */
  | { type: "request"; id: number; url: string; method: string }
  | { type: "navigate"; id: number; window: number; url: string; topFrame: boolean }
  | { type: "popup"; id: number; window: number; url: string }
  | { type: "permission"; id: number; origin: string; permission: string }
  /** Runs a function of the test in the main process. */
  | { type: "evaluate"; id: number; source: string; argument: unknown };

/** How a request is answered: null = cancelled. */
export interface ServedResponse {
  status: number;
  headers: Record<string, string>;
  body: Uint8Array;
}
