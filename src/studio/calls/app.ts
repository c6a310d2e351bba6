import { availableParallelism, freemem, totalmem } from "node:os";
import { KeystoneError } from "#shared/errors.ts";
import type { Answers, StudioContext } from "../context/context.ts";
import { listFolder } from "../models/listFolder.ts";
import { runtimeVersion } from "../context/versions.ts";

type AppCall =
  | "app:info"
  | "settings:get"
  | "settings:set"
  | "devices:probe"
  | "folder:pick"
  | "folder:list"
  | "folder:reveal"
  | "events:since";

/** The application itself: what it runs on, its settings, folders, the event stream. */
export function appCalls(context: StudioContext): Answers<AppCall> {
  const { options, access, events, kept } = context;
  return {
    "app:info": () => ({
      version: options.version ?? "0.0.0",
      shell: options.shell ?? "browser",
      platform: process.platform,
      cores: availableParallelism(),
      memoryBytes: totalmem(),
      freeMemoryBytes: freemem(),
      home: context.home,
      demoModel: options.demoModel ?? null,
      node: process.versions.node,
      onnxruntime: runtimeVersion(),
    }),
    "settings:get": () => context.settings(),
    "settings:set": (changes) => {
      kept.saveSettings(changes);
      const settings = context.settings();
      events.emit({ type: "settings", settings });
      return settings;
    },
    "devices:probe": () => context.devices.probe(),
    "folder:pick": async ({ purpose }) => {
      if (options.pickFolder) return { path: await options.pickFolder(purpose) };
      throw new KeystoneError(
        "access/no-dialog",
        "This Keystone has no native dialogs.",
        "Use the folder list instead.",
      );
    },
    "folder:list": ({ path }) => listFolder(access, path),
    "folder:reveal": async ({ path }) => {
      const real = access.check(path);
      if (!options.revealFolder) {
        throw new KeystoneError(
          "access/no-dialog",
          "This Keystone cannot open a file manager.",
          `Open ${real} yourself.`,
        );
      }
      await options.revealFolder(real);
      return {};
    },
    "events:since": ({ seq }) => events.since(seq),
  };
}
