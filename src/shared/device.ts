import { z } from "zod";

/** `auto` takes the best execution provider whose logits match the CPU's. */
export const deviceName = z.enum(["auto", "cpu", "webgpu", "cuda", "dml", "coreml"]);
export type DeviceName = z.infer<typeof deviceName>;

/** What `auto` found: which provider is used, and why not the others. */
export const deviceReport = z.object({
  asked: deviceName,
  used: deviceName.exclude(["auto"]),
  /** In one sentence, e.g. `CPU: WebGPU is not available (no adapter)`. */
  reason: z.string(),
  tried: z.array(z.object({ device: z.string(), ok: z.boolean(), reason: z.string(), seconds: z.number() })),
});
export type DeviceReport = z.infer<typeof deviceReport>;
