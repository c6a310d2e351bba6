import {
  app,
  ipcMain,
  Menu,
  nativeTheme,
  Notification,
  powerSaveBlocker,
  protocol,
  session,
  shell,
} from "electron";
import { join } from "node:path";
import type { ShellCommand } from "#shared/command.ts";
import type { RecentModel } from "#shared/contract/contract.ts";
import { createStudio } from "#studio/createStudio.ts";
import type { Studio } from "#studio/context/studio.ts";
import { confirmQuit, pickPath, showStartError } from "./dialogs.ts";
import { Grants } from "./grants.ts";
import { acceptDrops, answerCalls } from "./ipc.ts";
import { LongRuns } from "./longRuns.ts";
import { menuTemplate } from "./menu.ts";
import {
  commandForPath,
  pathsOfSecondInstance,
  pathsOnCommandLine,
  type SecondInstance,
} from "./openedPaths.ts";
import { declareScheme, serveWindow } from "./protocol.ts";
import { Quit } from "./quit.ts";
import { RecentModels } from "./recentModels.ts";
import { denyNetwork, denyPermissions, hardenContents } from "./security.ts";
import { Windows } from "./windows.ts";

const out = join(import.meta.dirname, "..");
const resources = app.isPackaged ? process.resourcesPath : join(out, "..", "resources");
const demoFolder = join(resources, "demo-model");
const textFolder = join(resources, "texts");
const asked = pathsOnCommandLine(process.argv, app.isPackaged);

// The folder that holds the studio's own files holds the window's as well; it also decides what a second instance is.
const home = process.env["KEYSTONE_HOME"];
if (home !== undefined) app.setPath("userData", join(home, "window"));
app.setAppUserModelId("io.github.keystone.studio");
// The desktop entry that the packages install; progress in the dock is shown through it.
if (process.platform === "linux") app.setDesktopName("keystone.desktop");
declareScheme(protocol);
hardenContents(app);
app.enableSandbox();

/** Takes paths from the system; before the studio runs they wait. */
let openPath = (path: string): void => void asked.push(path);
app.on("open-file", (event, path) => {
  event.preventDefault();
  openPath(path);
});

if (app.requestSingleInstanceLock({ paths: asked } satisfies SecondInstance)) {
  app
    .whenReady()
    .then(start)
    .catch((thrown: unknown) => {
      showStartError(thrown);
      app.exit(1);
    });
} else {
  app.quit();
}

async function start(): Promise<void> {
  denyPermissions(session.defaultSession);
  denyNetwork(session.defaultSession);
  serveWindow(protocol, join(out, "renderer"));

  const userData = app.getPath("userData");
  const grants = new Grants(join(userData, "granted.json"), [demoFolder, textFolder]);
  const grant = (path: string): void => grants.add(path);
  const pick: typeof pickPath = async (purpose) => {
    const path = await pickPath(purpose);
    if (path !== null) grant(path);
    return path;
  };
  const studio = createStudio({
    demoModel: join(demoFolder, "model"),
    ownText: join(textFolder, "keystone-own-text.jsonl"),
    shell: "electron",
    version: app.getVersion(),
    roots: grants.roots,
    grant,
    pickFolder: pick,
    revealFolder: async (path) => shell.showItemInFolder(path),
  });
  nativeTheme.themeSource = (await studio.call("settings:get", {})).theme;

  const longRuns = new LongRuns({ powerSaveBlocker, Notification, windows: () => windows.all() }, studio);
  const quit = new Quit({
    app,
    unfinished: () => longRuns.unfinished,
    confirm: confirmQuit,
    close: () => studio.close(),
  });
  const windows = new Windows({
    preload: join(out, "preload/index.cjs"),
    stateFile: join(userData, "window.json"),
    mayCloseLast: () => {
      // On macOS the app and its work go on without a window.
      if (quit.windowsMayClose || process.platform === "darwin") return true;
      app.quit();
      return false;
    },
  });
  openPath = (path) => {
    const command = commandForPath(path);
    if (command === null) return;
    grant(path);
    windows.command(command);
  };
  answerCalls(ipcMain, studio);
  acceptDrops(ipcMain, grant);
  await showMenuAndRecent(studio, windows, grant, pick);
  studio.on((event) => {
    if (event.event.type === "settings") nativeTheme.themeSource = event.event.settings.theme;
    windows.broadcast(event);
  });
  windows.open();
  for (const path of asked.splice(0)) openPath(path);
  followTheSystem(windows);
}

/** The menu, with the models opened last. */
async function showMenuAndRecent(
  studio: Studio,
  windows: Windows,
  grant: (path: string) => void,
  pick: typeof pickPath,
): Promise<void> {
  const choose = async (purpose: "model" | "plan"): Promise<void> => {
    const path = await pick(purpose);
    if (path !== null) openPath(path);
  };
  const actions = {
    send: (command: ShellCommand) => windows.command(command),
    openModel: () => void choose("model"),
    openPlan: () => void choose("plan"),
    newWindow: () => void windows.open(),
  };
  const show = (recent: readonly RecentModel[]): void => {
    const facts = { platform: process.platform, packaged: app.isPackaged, recent };
    Menu.setApplicationMenu(Menu.buildFromTemplate(menuTemplate(actions, facts)));
  };
  await new RecentModels({ app, grant, show }, studio).refresh();
}

/** Another instance, a click on the dock icon, the last window gone. */
function followTheSystem(windows: Windows): void {
  app.on("second-instance", (_event, _argv, _folder, data) => {
    const paths = pathsOfSecondInstance(data);
    for (const path of paths) openPath(path);
    if (paths.length === 0) windows.open();
  });
  app.on("activate", () => {
    if (windows.all().length === 0) windows.open();
  });
  app.on("window-all-closed", () => {
    if (process.platform !== "darwin") app.quit();
  });
}
