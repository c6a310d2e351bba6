import type { TokenWindow } from "#engine/evaluate/windows/windowSet.ts";
import type { EncodedRequest } from "./encodeRequest.ts";

/** Requests brought into as few windows as share their tokens. */
export interface SharedWindows {
  readonly windows: readonly TokenWindow[];
  /** For each request the rows, among all scored positions of these windows, that predict its labels. */
  readonly rows: readonly (readonly number[])[];
}

/**
 * Lays the requests of one question together. Requests that begin alike share those tokens: a window is a tree, whose branches
 * are the continuations (and, where contexts differ late, their ends), one behind the other:
 *
 *     BOS  the  goat  ate │ the flour │ a clock │ the captain's …
 *
 * Every branch sees its own tokens and what leads to them, so a request is computed as it would be alone.
 * @param mayBranch false where a window must be one sequence (whatever is measured over a whole window would see the other
 *   branches): then only requests that are fed the very same tokens share a window
 * @param longest most tokens of a window that branches; attention that sees a sliding window takes tokens by their index
 */
export function shareWindows(
  requests: readonly EncodedRequest[],
  mayBranch: boolean,
  longest: number,
): SharedWindows {
  const together = mayBranch ? layTrees(requests, ({ fed }) => String(fed[0])) : null;
  const fits = together?.windows.every(({ ids, parents }) => !parents || ids.length <= longest);
  return together && fits ? together : layTrees(requests, ({ fed }) => fed.join(" "));
}

/** A window in the making. Nodes stand in the order in which they were met, so that what leads to one stands before it. */
interface Tree {
  readonly ids: number[];
  readonly parents: number[];
  /** Node behind a node, by that node and the token. */
  readonly next: Map<string, number>;
  /** Nodes that some request reads. */
  readonly read: Set<number>;
}

/** One tree for all requests of the same key. */
function layTrees(
  requests: readonly EncodedRequest[],
  keyOf: (request: EncodedRequest) => string,
): SharedWindows {
  const trees = new Map<string, Tree>();
  const paths = requests.map((request) => {
    const key = keyOf(request);
    const tree = trees.get(key) ?? { ids: [], parents: [], next: new Map(), read: new Set() };
    trees.set(key, tree);
    const path = addPath(tree, request.fed).slice(-request.labels.length);
    for (const node of path) tree.read.add(node);
    return { tree, path };
  });
  const rowOf = new Map<Tree, Map<number, number>>();
  let rows = 0;
  for (const tree of trees.values()) {
    const nodes = [...tree.read].sort((a, b) => a - b);
    rowOf.set(tree, new Map(nodes.map((node) => [node, rows++])));
  }
  return {
    windows: [...trees.values()].map(windowOf),
    rows: paths.map(({ tree, path }) => path.map((node) => rowOf.get(tree)?.get(node) ?? -1)),
  };
}

/** @returns the nodes of the tokens */
function addPath({ ids, parents, next }: Tree, tokens: readonly number[]): number[] {
  let before = -1;
  return tokens.map((token) => {
    const key = `${before} ${token}`;
    const known = next.get(key);
    const node = known ?? ids.length;
    if (known === undefined) {
      ids.push(token);
      parents.push(before);
      next.set(key, node);
    }
    before = node;
    return node;
  });
}

function windowOf({ ids, parents, read }: Tree): TokenWindow {
  const branches = parents.some((before, node) => before !== node - 1);
  return {
    document: 0,
    ids: Int32Array.from(ids),
    labels: Int32Array.from(ids, (_, node) => (read.has(node) ? 0 : -1)),
    lead: 0,
    ...(branches ? { parents: Int32Array.from(parents) } : {}),
  };
}
