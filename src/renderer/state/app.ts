import { createContext } from "svelte";
import type { Guide } from "./guide.svelte.ts";
import type { Router } from "./router.svelte.ts";
import type { Studio } from "./studio.svelte.ts";
import type { Theme } from "./theme.svelte.ts";
import type { PickPurpose, Ui } from "./ui.svelte.ts";

/** What every component may reach for. */
export interface App {
  studio: Studio;
  ui: Ui;
  router: Router;
  theme: Theme;
  guide: Guide;
}

/** `useApp()` inside a component; `provideApp(app)` once, in App.svelte. */
export const [useApp, provideApp] = createContext<App>();

/** Asks for a folder or file: the system's dialog in Electron, a list of the allowed folders in the browser. */
export async function pickPath(app: App, purpose: PickPurpose | "model-file"): Promise<string | null> {
  if (app.studio.info?.shell !== "electron") return app.ui.pick(purpose === "model-file" ? "model" : purpose);
  const { path } = await app.studio.host.call("folder:pick", { purpose });
  return path;
}

/** Lets a person choose a checkpoint's folder, or a GGUF file, opens it and shows its overview. */
export async function chooseModel(app: App, purpose: "model" | "model-file" = "model"): Promise<void> {
  const path = await pickPath(app, purpose);
  if (path !== null) await showFirst(app, path);
}

/** {@link showModel} for a model that a person chose: the first one ever begins the first steps. */
export async function showFirst(app: App, path: string): Promise<void> {
  if (app.guide.offered) app.guide.begin();
  await showModel(app, path);
}

/** Opens the checkpoint and shows its overview; what goes wrong is said on Home. */
export async function showModel(app: App, path: string): Promise<void> {
  if (await app.studio.openModel(path)) app.router.go("overview");
  else app.router.go("home");
}
