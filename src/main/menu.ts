import type { MenuItemConstructorOptions } from "electron";
import type { ShellCommand } from "#shared/command.ts";
import type { RecentModel } from "#shared/contract/contract.ts";

export interface MenuActions {
  send: (command: ShellCommand) => void;
  openModel: () => void;
  openPlan: () => void;
  newWindow: () => void;
}

export interface MenuFacts {
  platform: NodeJS.Platform;
  /** Development tools are listed while the app is not packaged. */
  packaged: boolean;
  recent: readonly Pick<RecentModel, "name" | "path">[];
}

/** The application menu; its accelerators are those of the keyboard table in the design brief. */
export function menuTemplate(actions: MenuActions, facts: MenuFacts): MenuItemConstructorOptions[] {
  const menus: MenuItemConstructorOptions[] = [
    { label: "&File", submenu: fileMenu(actions, facts) },
    { role: "editMenu" },
    { label: "&View", submenu: viewMenu(actions, facts) },
    { role: "windowMenu" },
  ];
  // macOS has "About" in the menu of the app's name.
  if (facts.platform === "darwin") return [{ role: "appMenu" }, ...menus];
  return [...menus, { role: "help", submenu: [{ role: "about" }] }];
}

function fileMenu(actions: MenuActions, { platform, recent }: MenuFacts): MenuItemConstructorOptions[] {
  return [
    { label: "Open model…", accelerator: "CmdOrCtrl+O", click: actions.openModel },
    {
      label: "Open recent",
      enabled: recent.length > 0,
      submenu: recent.map(({ name, path }) => ({
        label: name,
        sublabel: path,
        click: () => actions.send({ type: "open-model", path }),
      })),
    },
    { label: "Open plan…", accelerator: "CmdOrCtrl+Shift+O", click: actions.openPlan },
    { label: "New window", accelerator: "CmdOrCtrl+N", click: actions.newWindow },
    { type: "separator" },
    go(actions, "All models", "home"),
    go(actions, "Settings", "settings", "CmdOrCtrl+,"),
    { type: "separator" },
    { role: platform === "darwin" ? "close" : "quit" },
  ];
}

function viewMenu(actions: MenuActions, { packaged }: MenuFacts): MenuItemConstructorOptions[] {
  return [
    { label: "Search…", accelerator: "CmdOrCtrl+K", click: () => actions.send({ type: "palette" }) },
    { type: "separator" },
    go(actions, "Overview", "overview", "CmdOrCtrl+1"),
    go(actions, "Super weights", "super-weights", "CmdOrCtrl+2"),
    go(actions, "Lab", "lab", "CmdOrCtrl+3"),
    go(actions, "Sweep", "sweep", "CmdOrCtrl+4"),
    go(actions, "Compare", "compare", "CmdOrCtrl+5"),
    go(actions, "Export", "export", "CmdOrCtrl+6"),
    go(actions, "Runs", "runs"),
    { type: "separator" },
    { role: "resetZoom" },
    { role: "zoomIn" },
    { role: "zoomOut" },
    { role: "togglefullscreen" },
    ...(packaged ? [] : ([{ type: "separator" }, { role: "reload" }, { role: "toggleDevTools" }] as const)),
  ];
}

type View = Extract<ShellCommand, { type: "go" }>["view"];

function go(
  actions: MenuActions,
  label: string,
  view: View,
  accelerator?: string,
): MenuItemConstructorOptions {
  return {
    label,
    ...(accelerator === undefined ? {} : { accelerator }),
    click: () => actions.send({ type: "go", view }),
  };
}
