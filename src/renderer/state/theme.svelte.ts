import type { Settings } from "#shared/settings.ts";

/** Light, dark or the system's; written to <html data-theme>, and kept for the next first paint (see public/theme.js). */
export class Theme {
  choice: Settings["theme"] = $state("system");
  density: Settings["density"] = $state("normal");
  #systemDark = $state(matchMedia("(prefers-color-scheme: dark)").matches);
  readonly resolved: "light" | "dark" = $derived(
    this.choice === "system" ? (this.#systemDark ? "dark" : "light") : this.choice,
  );

  constructor() {
    const kept = localStorage.getItem("keystone.theme");
    if (kept === "light" || kept === "dark") this.choice = kept;
  }

  /** Follows the system, and writes every change to the document; call inside a component. */
  start(): void {
    $effect(() => {
      const query = matchMedia("(prefers-color-scheme: dark)");
      const follow = (): void => {
        this.#systemDark = query.matches;
      };
      query.addEventListener("change", follow);
      return () => query.removeEventListener("change", follow);
    });
    $effect.pre(() => {
      document.documentElement.dataset["theme"] = this.resolved;
      document.documentElement.dataset["density"] = this.density;
      localStorage.setItem("keystone.theme", this.choice);
      localStorage.setItem("keystone.density", this.density);
    });
  }

  /** Takes what the settings say. */
  adopt(settings: Settings): void {
    this.choice = settings.theme;
    this.density = settings.density;
  }
}
