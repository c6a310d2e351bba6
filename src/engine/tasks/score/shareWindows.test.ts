import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { EncodedRequest } from "./encodeRequest.ts";
import { shareWindows, type SharedWindows } from "./shareWindows.ts";

const request = (context: string, continuation: string): EncodedRequest => {
  const all = Array.from(context + continuation, (c) => c.charCodeAt(0));
  return {
    fed: all.slice(0, -1),
    labels: all.slice(-continuation.length),
    truncated: false,
  };
};
const text = (ids: Iterable<number>): string => String.fromCharCode(...ids);

/** What a request's rows see: for each, the tokens that lead to it, its own last. */
function seenBy({ windows, rows }: SharedWindows): string[][] {
  const scored = windows.flatMap(({ ids, labels, parents }) =>
    [...labels.keys()]
      .filter((node) => labels[node] >= 0)
      .map((node) => {
        const path: number[] = [];
        for (let at = node; at >= 0; at = parents ? parents[at] : at - 1) path.unshift(ids[at]);
        return text(path);
      }),
  );
  return rows.map((own) => own.map((row) => scored[row]));
}

describe("shareWindows", () => {
  it("reads choices of one token from one window that is their context", () => {
    const { windows, rows } = shareWindows([request("abc", "A"), request("abc", "B")], true, Infinity);
    expect(windows.map(({ ids }) => text(ids))).toEqual(["abc"]);
    expect(windows[0].parents).toBeUndefined();
    expect(rows).toEqual([[0], [0]]);
  });

  it("lays longer choices behind their context as branches", () => {
    const { windows, rows } = shareWindows([request("ab", "xyz"), request("ab", "xw")], true, Infinity);
    expect(windows.map(({ ids }) => text(ids))).toEqual(["abxy"]);
    expect(rows).toEqual([
      [0, 1, 2],
      [0, 1],
    ]);
    const apart = shareWindows([request("ab", "xyz"), request("ab", "pqr")], true, Infinity);
    expect(apart.windows.map(({ ids }) => text(ids))).toEqual(["abxypq"]);
    expect([...(apart.windows[0].parents ?? [])]).toEqual([-1, 0, 1, 2, 1, 4]);
  });

  it("keeps requests that begin differently in windows of their own", () => {
    const { windows } = shareWindows([request("ab", "x"), request("cb", "x")], true, Infinity);
    expect(windows.map(({ ids }) => text(ids))).toEqual(["ab", "cb"]);
  });

  it("does not branch where that is not allowed, or where the window would be too long", () => {
    const requests = [request("ab", "xyz"), request("ab", "pqr"), request("ab", "pqs")];
    for (const made of [shareWindows(requests, false, Infinity), shareWindows(requests, true, 5)])
      expect(made.windows.map(({ ids }) => text(ids))).toEqual(["abxy", "abpq"]);
    expect(shareWindows(requests, true, 6).windows).toHaveLength(1);
  });

  it("lets every row see exactly what it would see alone", () => {
    const word = (length: number) =>
      fc.string({ unit: fc.constantFrom("a", "b"), minLength: 1, maxLength: length });
    fc.assert(
      fc.property(
        fc.array(fc.tuple(word(4), word(5)), { minLength: 1, maxLength: 6 }),
        fc.boolean(),
        (pairs, branch) => {
          const requests = pairs.map(([context, continuation]) => request(context, continuation));
          const alone = requests.map(({ fed, labels }) =>
            labels.map((_, k) => text(fed.slice(0, fed.length - labels.length + k + 1))),
          );
          expect(seenBy(shareWindows(requests, branch, Infinity))).toEqual(alone);
        },
      ),
    );
  });
});
