import type { DeviceReport } from "#shared/device.ts";
import type { ForwardOptions } from "./createForward.ts";

export async function chooseDevice(options: Pick<ForwardOptions, "device" | "threads">): Promise<DeviceReport> {
  return { asked: options.device, used: "cpu", reason: "CPU: asked for", tried: [] };
}
