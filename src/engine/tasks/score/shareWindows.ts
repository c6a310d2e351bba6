import type { TokenWindow } from "../../evaluate/types.ts";
import type { EncodedRequest } from "./encodeRequest.ts";

/** Requests brought into as few windows as share their tokens. */
export interface SharedWindows {
  readonly windows: readonly TokenWindow[];
  /** For each request the rows, among all scored positions of these windows, that predict its labels. */
  readonly rows: readonly (readonly number[])[];
}

/** Requests that are fed the same tokens are read from one window: choices that differ in their last token alone. */
export function shareWindows(requests: readonly EncodedRequest[]): SharedWindows {
  const groups = new Map<string, number[]>();
  requests.forEach(({ fed }, i) => {
    const key = fed.join(" ");
    groups.set(key, [...(groups.get(key) ?? []), i]);
  });
  const windows: TokenWindow[] = [];
  const rows: number[][] = requests.map(() => []);
  let scored = 0;
  for (const members of groups.values()) {
    const { fed } = requests[members[0]];
    const longest = Math.max(...members.map((i) => requests[i].labels.length));
    const labels = Int32Array.from(fed, (_, t) => (t < fed.length - longest ? -1 : 0));
    windows.push({ document: 0, ids: Int32Array.from(fed), labels, lead: 0 });
    scored += longest;
    for (const i of members)
      rows[i] = requests[i].labels.map((_, k) => scored - requests[i].labels.length + k);
  }
  return { windows, rows };
}
