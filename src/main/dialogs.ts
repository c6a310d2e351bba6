import { BrowserWindow, dialog, type MessageBoxOptions, type OpenDialogOptions } from "electron";
import { toErrorData } from "#shared/errors.ts";
import type { JobView } from "#shared/contract/job.ts";
import { TEXT_ENDINGS } from "#shared/texts.ts";

export type PickPurpose = "model" | "model-file" | "text" | "tasks" | "export" | "plan";

const OPTIONS: Record<PickPurpose, OpenDialogOptions> = {
  model: {
    title: "Open a checkpoint",
    buttonLabel: "Open",
    // only macOS has one dialog for both; elsewhere a GGUF file has a dialog of its own
    properties: process.platform === "darwin" ? ["openDirectory", "openFile"] : ["openDirectory"],
    filters: [{ name: "GGUF", extensions: ["gguf"] }],
  },
  "model-file": {
    title: "Open a GGUF file",
    buttonLabel: "Open",
    properties: ["openFile"],
    filters: [{ name: "GGUF", extensions: ["gguf"] }],
  },
  text: {
    title: "Choose a text",
    properties: ["openFile"],
    filters: [{ name: "Text", extensions: [...TEXT_ENDINGS] }],
  },
  tasks: {
    title: "Choose a task file",
    properties: ["openFile"],
    filters: [{ name: "Tasks", extensions: ["jsonl", "json", "csv", "parquet"] }],
  },
  export: {
    title: "Choose where the export goes",
    buttonLabel: "Choose",
    properties: ["openDirectory", "createDirectory"],
  },
  plan: {
    title: "Open a plan",
    properties: ["openFile"],
    filters: [{ name: "Plan", extensions: ["json", "keystone-plan"] }],
  },
};

/** Asks for a path with the system's own dialog; null = the person changed their mind. */
export async function pickPath(purpose: PickPurpose): Promise<string | null> {
  const window = BrowserWindow.getFocusedWindow();
  const chosen = await (window
    ? dialog.showOpenDialog(window, OPTIONS[purpose])
    : dialog.showOpenDialog(OPTIONS[purpose]));
  return chosen.canceled ? null : (chosen.filePaths[0] ?? null);
}

/** Asks before work is interrupted; the safe choice has focus. True = quit. */
export async function confirmQuit(jobs: readonly JobView[]): Promise<boolean> {
  const sweeps = jobs.some((job) => job.kind === "sweep");
  const options: MessageBoxOptions = {
    type: "question",
    message:
      jobs.length === 1
        ? `${jobs[0]?.title ?? "A job"} is still running.`
        : `${jobs.length} jobs are still running.`,
    detail: sweeps
      ? "Every finished variant is saved. The sweep can be resumed where it was."
      : "What is running now starts afresh next time.",
    buttons: ["Keep running", "Quit"],
    defaultId: 0,
    cancelId: 0,
  };
  const window = BrowserWindow.getFocusedWindow() ?? BrowserWindow.getAllWindows()[0];
  const { response } = await (window
    ? dialog.showMessageBox(window, options)
    : dialog.showMessageBox(options));
  return response === 1;
}

/** Says why the app cannot start; there is no window yet that could. */
export function showStartError(thrown: unknown): void {
  const { message, next } = toErrorData(thrown);
  dialog.showErrorBox("Keystone cannot start", `${message}\n\n${next}`);
}
