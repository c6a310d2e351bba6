import { z } from "zod";
import { deviceName } from "./device.ts";

export const settings = z.object({
  device: deviceName.default("auto"),
  /** Null = chosen from the cores and the model's size. */
  workers: z.number().int().min(1).max(64).nullable().default(null),
  threadsPerWorker: z.number().int().min(1).max(256).nullable().default(null),
  /** Bytes all workers may use together; null = three quarters of what is free. */
  memoryLimitBytes: z.number().int().min(268_435_456).nullable().default(null),
  /** Where the run store, caches and settings are; read-only in the window (KEYSTONE_HOME decides it). */
  theme: z.enum(["system", "light", "dark"]).default("system"),
  density: z.enum(["normal", "compact"]).default("normal"),
  notifyWhenDone: z.boolean().default(true),
});
export type Settings = z.infer<typeof settings>;
