/** A place in the window, as written in the address: `#/run/ID?layer=3`. */
export interface Place {
  screen: string;
  /** The part after the screen, e.g. a run's id; "" where there is none. */
  id: string;
  query: URLSearchParams;
}

/** Reads a hash. An empty one is home. */
export function readPlace(hash: string): Place {
  const [path = "", query = ""] = hash.replace(/^#\/?/, "").split("?");
  const [screen = "", ...rest] = path.split("/");
  return {
    screen: screen || "home",
    id: decodeURIComponent(rest.join("/")),
    query: new URLSearchParams(query),
  };
}

/** Writes a hash; query values that are undefined are left out. */
export function placeHash(screen: string, id = "", query: Record<string, string | undefined> = {}): string {
  const params = new URLSearchParams();
  for (const [key, value] of Object.entries(query)) if (value !== undefined) params.set(key, value);
  const search = params.toString();
  return `#/${screen}${id ? `/${encodeURIComponent(id)}` : ""}${search ? `?${search}` : ""}`;
}
