import { app, ipcMain, Menu, Notification, powerSaveBlocker, protocol, session, shell } from "electron";
import { join } from "node:path";
import { createStudio } from "#studio/createStudio.ts";
import { commandForPath } from "./openedPaths.ts";
import { confirmQuit, pickPath } from "./dialogs.ts";
import { acceptDrops, answerCalls } from "./ipc.ts";
import { LongRuns } from "./longRuns.ts";
import { menuTemplate } from "./menu.ts";
import { declareScheme, serveWindow } from "./protocol.ts";
import { denyNetwork, denyPermissions, hardenContents } from "./security.ts";
import { Windows } from "./windows.ts";

const out = join(import.meta.dirname, "..");
const demoModel = join(app.isPackaged ? process.resourcesPath : join(out, "..", "resources"), "demo-model", "model");

declareScheme(protocol);
hardenContents(app);
app.enableSandbox();

if (app.requestSingleInstanceLock()) void app.whenReady().then(start);
else app.quit();

/** Paths the system hands over before the app is ready (macOS). */
const early: string[] = [];
app.on("open-file", (event, path) => {
  event.preventDefault();
  early.push(path);
});

function start(): void {
  denyPermissions(session.defaultSession);
  denyNetwork(session.defaultSession);
  serveWindow(protocol, join(out, "renderer"));

  const granted: string[] = [];
  const grant = (path: string): void => void granted.push(path);
  const studio = createStudio({
    demoModel,
    shell: "electron",
    version: app.getVersion(),
    // Only what the person picked, dropped or opened before: the window cannot name a path of its own.
    roots: granted,
    pickFolder: async (purpose) => {
      const path = await pickPath(purpose);
      if (path !== null) grant(path);
      return path;
    },
    revealFolder: async (path) => shell.showItemInFolder(path),
  });
  const windows = new Windows(join(out, "preload/index.cjs"), join(studio.home, "window.json"));
  answerCalls(ipcMain, studio);
  acceptDrops(ipcMain, grant);
  studio.on((event) => windows.broadcast(event));
  const longRuns = new LongRuns({ app, powerSaveBlocker, Notification, windows: () => windows.all() }, studio);

  const openPath = (path: string): void => {
    const command = commandForPath(path);
    if (command === null) return;
    grant(path);
    windows.command(command);
  };
  const choose = async (purpose: "model" | "plan"): Promise<void> => {
    const path = await pickPath(purpose);
    if (path !== null) openPath(path);
  };
  Menu.setApplicationMenu(
    Menu.buildFromTemplate(
      menuTemplate(
        {
          send: (command) => windows.command(command),
          openModel: () => void choose("model"),
          openPlan: () => void choose("plan"),
          newWindow: () => void windows.open(),
        },
        process.platform,
      ),
    ),
  );
  windows.open();
  for (const path of [...early, ...process.argv.slice(app.isPackaged ? 1 : 2)]) openPath(path);
  app.on("open-file", (_event, path) => openPath(path));
  app.on("second-instance", (_event, argv, folder) => {
    const paths = argv.slice(1).filter((argument) => !argument.startsWith("-"));
    for (const path of paths) openPath(join(folder, path));
    if (paths.length === 0) windows.open();
  });
  app.on("activate", () => {
    if (windows.all().length === 0) windows.open();
  });
  app.on("window-all-closed", () => {
    if (process.platform !== "darwin") app.quit();
  });
  quitCleanly(longRuns, () => studio.close());
}

/** Quitting asks while work is running, then lets the studio save its runs as interrupted before the process ends. */
function quitCleanly(longRuns: LongRuns, close: () => Promise<void>): void {
  let state: "open" | "closing" | "closed" = "open";
  app.on("before-quit", (event) => {
    if (state === "closed") return;
    event.preventDefault();
    if (state === "closing") return;
    state = "closing";
    void (async () => {
      const jobs = longRuns.unfinished;
      if (jobs.length > 0 && !(await confirmQuit(jobs))) {
        state = "open";
        return;
      }
      await close();
      state = "closed";
      app.quit();
    })();
  });
}
