import type { DeviceName, DeviceReport } from "#shared/device.ts";
import type { Settings } from "#shared/settings.ts";
import { createControl } from "#worker/protocol/control.ts";
import type { WorkerPool } from "../jobs/pool.ts";

/**
 * Which device this process computes on. `auto` is decided once, by measuring, and then holds for every worker: two that
 * measured for themselves might decide differently, and one run's results would come from two devices.
 */
export class Devices {
  readonly #interactivePool: WorkerPool;
  readonly #asked: () => Pick<Settings, "device"> & { threads: number };
  readonly #reports = new Map<DeviceName, Promise<DeviceReport>>();

  constructor(interactivePool: WorkerPool, asked: () => Pick<Settings, "device"> & { threads: number }) {
    this.#interactivePool = interactivePool;
    this.#asked = asked;
  }

  /** What the settings ask for, tried out. @throws KeystoneError device/unavailable, device/inexact */
  probe(): Promise<DeviceReport> {
    const { device, threads } = this.#asked();
    const known = this.#reports.get(device);
    if (known) return known;
    const report = this.#interactivePool.run("probe", { device, threads }, { control: createControl() });
    this.#reports.set(device, report);
    // What failed may succeed after a driver was installed or another program has ended.
    report.catch(() => this.#reports.delete(device));
    return report;
  }

  /** The device that workers are told to use: never `auto`. */
  async chosen(): Promise<DeviceName> {
    const { device } = this.#asked();
    return device === "auto" ? (await this.probe()).used : device;
  }
}
