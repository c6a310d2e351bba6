import { placeHash, readPlace, type Place } from "./place.ts";

/** Where the window is. The address bar (or Electron's history) is the only state. */
export class Router {
  place: Place = $state.raw(readPlace(""));

  start(): () => void {
    const read = (): void => {
      this.place = readPlace(location.hash);
    };
    read();
    addEventListener("hashchange", read);
    return () => removeEventListener("hashchange", read);
  }

  go(screen: string, id = "", query: Record<string, string | undefined> = {}): void {
    location.hash = placeHash(screen, id, query);
  }
}
