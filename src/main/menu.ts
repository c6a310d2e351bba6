import type { MenuItemConstructorOptions } from "electron";
import type { ShellCommand } from "#shared/command.ts";

export interface MenuActions {
  send(command: ShellCommand): void;
  openModel(): void;
  openPlan(): void;
  newWindow(): void;
}

/** The application menu; its accelerators are those of the keyboard table in the design brief. */
export function menuTemplate(actions: MenuActions, platform: NodeJS.Platform): MenuItemConstructorOptions[] {
  const go = (label: string, view: Extract<ShellCommand, { type: "go" }>["view"], accelerator?: string): MenuItemConstructorOptions => ({
    label,
    ...(accelerator === undefined ? {} : { accelerator }),
    click: () => actions.send({ type: "go", view }),
  });
  const mac = platform === "darwin";
  return [
    ...(mac ? [{ role: "appMenu" } as const] : []),
    {
      label: "&File",
      submenu: [
        { label: "Open model…", accelerator: "CmdOrCtrl+O", click: actions.openModel },
        { label: "Open plan…", accelerator: "CmdOrCtrl+Shift+O", click: actions.openPlan },
        { label: "New window", accelerator: "CmdOrCtrl+N", click: actions.newWindow },
        { type: "separator" },
        go("All models", "home"),
        go("Settings", "settings", "CmdOrCtrl+,"),
        { type: "separator" },
        mac ? { role: "close" } : { role: "quit" },
      ],
    },
    { role: "editMenu" },
    {
      label: "&View",
      submenu: [
        { label: "Search…", accelerator: "CmdOrCtrl+K", click: () => actions.send({ type: "palette" }) },
        { type: "separator" },
        go("Overview", "overview", "CmdOrCtrl+1"),
        go("Super weights", "super-weights", "CmdOrCtrl+2"),
        go("Sweep", "sweep", "CmdOrCtrl+3"),
        go("Compare", "compare", "CmdOrCtrl+4"),
        go("Export", "export", "CmdOrCtrl+5"),
        go("Runs", "runs", "CmdOrCtrl+6"),
        { type: "separator" },
        { role: "resetZoom" },
        { role: "zoomIn" },
        { role: "zoomOut" },
        { role: "togglefullscreen" },
      ],
    },
    { role: "windowMenu" },
  ];
}
