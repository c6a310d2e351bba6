import { z } from "zod";
import { deviceName } from "./device.ts";

const fields = {
  device: deviceName,
  /** Null = chosen from the cores and the model's size. */
  workers: z.number().int().min(1).max(64).nullable(),
  threadsPerWorker: z.number().int().min(1).max(256).nullable(),
  /** Bytes all workers may use together; null = three quarters of what is free. */
  memoryLimitBytes: z.number().int().min(268_435_456).nullable(),
  theme: z.enum(["system", "light", "dark"]),
  density: z.enum(["normal", "compact"]),
  notifyWhenDone: z.boolean(),
};

export const settings = z.object({
  device: fields.device.default("auto"),
  workers: fields.workers.default(null),
  threadsPerWorker: fields.threadsPerWorker.default(null),
  memoryLimitBytes: fields.memoryLimitBytes.default(null),
  theme: fields.theme.default("system"),
  density: fields.density.default("normal"),
  notifyWhenDone: fields.notifyWhenDone.default(true),
});
export type Settings = z.infer<typeof settings>;

/** Some of the settings, to change them; without defaults, so that what is not named stays as it is. */
export const settingsChange = z.strictObject(fields).partial();
