import type { ShellCommand } from "#shared/command.ts";
import { chooseModel, showModel, type App } from "../state/app.ts";

/** Does what the desktop shell asks for. The preload hands on what the main process sent, which is one of ours. */
export function onShellCommand(app: App, command: unknown): void {
  const wish = command as ShellCommand;
  switch (wish.type) {
    case "open-model":
      void (wish.path === null ? chooseModel(app) : showModel(app, wish.path));
      break;
    case "open-plan":
      app.router.go("sweep", "", { plan: wish.path });
      break;
    case "go":
      app.router.go(wish.view);
      break;
    case "palette":
      app.ui.palette = true;
      break;
  }
}

/** A plan file leads to the wizard, everything else is taken for a checkpoint. */
export function openDropped(app: App, path: string): void {
  if (/\.(json|keystone-plan)$/i.test(path)) app.router.go("sweep", "", { plan: path });
  else void showModel(app, path);
}
