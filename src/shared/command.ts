import { z } from "zod";

/** What the shell around the window (menu, file association, a folder dropped on the icon) asks the window to do. */
export const shellCommand = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("open-model"), path: z.string().nullable() }),
  z.strictObject({ type: z.literal("open-plan"), path: z.string() }),
  z.strictObject({
    type: z.literal("go"),
    view: z.enum([
      "home",
      "overview",
      "super-weights",
      "lab",
      "sweep",
      "runs",
      "compare",
      "export",
      "settings",
    ]),
  }),
  z.strictObject({ type: z.literal("palette") }),
]);
export type ShellCommand = z.infer<typeof shellCommand>;

/** What the preload puts on `window.keystone`; the only door between the window and the desktop shell. */
export interface DesktopBridge {
  call(name: string, args: unknown): Promise<{ ok: true; reply: unknown } | { ok: false; error: unknown }>;
  onEvent(listener: (event: unknown) => void): () => void;
  onCommand(listener: (command: unknown) => void): () => void;
  /** Path of a file or folder dropped on the window; the main process lets the studio read it. */
  pathOf(file: File): string;
  platform: string;
}
