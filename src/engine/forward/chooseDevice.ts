import type { DeviceName, DeviceReport } from "#shared/device.ts";
import { KeystoneError } from "#shared/errors.ts";
import { LARGE_PROBE, runProbe, SMALL_PROBE, type ProbeResult, type ProbeSize } from "./probe.ts";
import { offeredAccelerators, TITLES, whyAbsent, type Accelerator } from "./providers.ts";
import type { Provider } from "./session.ts";

type Attempt = DeviceReport["tried"][number];

/** Largest difference of a probe logit from the CPU's, as a share of the largest logit. Measured on WebGPU: 1e-6. */
const MAX_DIFFERENCE = 1e-3;
/** A device this many times slower than the CPU on the small probe is not asked to run the large one. */
const HOPELESSLY_SLOW = 10;

/** What choosing needs to know of the machine; tests give their own. */
export interface Machine {
  /** Accelerators that the runtime has at all on this platform, best first. */
  readonly offered: readonly Accelerator[];
  whyAbsent(provider: Provider): string | null;
  runProbe(provider: Provider, size: ProbeSize): Promise<ProbeResult>;
}

const chosen = new Map<string, Promise<DeviceReport>>();

/**
 * The execution provider for a device name. `auto` takes the first of CUDA, WebGPU, DirectML and CoreML that is there,
 * whose logits match the CPU's and that is faster than it, otherwise the CPU, and says why not the others. A device that is
 * asked for by name is never replaced by another. What was found is kept for the life of the thread.
 * @throws KeystoneError device/unavailable, device/inexact for a device that was asked for by name
 */
export async function chooseDevice({
  device,
  threads,
}: {
  device: DeviceName;
  threads: number;
}): Promise<DeviceReport> {
  const key = `${device} ${threads}`;
  const known = chosen.get(key);
  if (known) return known;
  const machine: Machine = {
    offered: offeredAccelerators(),
    whyAbsent,
    runProbe: (provider, size) => runProbe(provider, threads, size),
  };
  const report = chooseOn(machine, device);
  chosen.set(key, report);
  report.catch(() => chosen.delete(key));
  return report;
}

/** chooseDevice on a machine that is given. */
export async function chooseOn(machine: Machine, device: DeviceName): Promise<DeviceReport> {
  if (device === "cpu") return { asked: device, used: device, reason: "CPU, as asked.", tried: [] };
  if (device === "auto") return chooseBest(machine);
  const attempt = await tryAsked(machine, device);
  return {
    asked: device,
    used: device,
    reason: `${TITLES[device]}, as asked: ${attempt.reason}.`,
    tried: [attempt],
  };
}

async function chooseBest(machine: Machine): Promise<DeviceReport> {
  const tried: Attempt[] = [];
  for (const device of machine.offered) {
    const attempt = await timed(device, () => tryAccelerator(machine, device));
    tried.push(attempt);
    if (attempt.ok)
      return {
        asked: "auto",
        used: device,
        reason: `${TITLES[device]}: ${attempt.reason}.${whyNot(tried)}`,
        tried,
      };
  }
  return { asked: "auto", used: "cpu", reason: `CPU.${whyNot(tried)}`, tried };
}

/** ` Not CUDA (…), not WebGPU (…).` for what was tried and refused. */
function whyNot(tried: readonly Attempt[]): string {
  const refused = tried
    .filter((attempt) => !attempt.ok)
    .map(({ device, reason }) => `${titleOf(device)} (${reason})`);
  return refused.length === 0 ? "" : ` Not ${refused.join(", not ")}.`;
}

function titleOf(device: string): string {
  return Object.entries(TITLES).find(([name]) => name === device)?.[1] ?? device;
}

interface Outcome {
  readonly ok: boolean;
  readonly reason: string;
}

async function timed(device: Provider, work: () => Promise<Outcome>): Promise<Attempt> {
  const begin = performance.now();
  const outcome = await work();
  return { device, ...outcome, seconds: (performance.now() - begin) / 1000 };
}

async function tryAccelerator(machine: Machine, device: Accelerator): Promise<Outcome> {
  const absent = machine.whyAbsent(device);
  if (absent !== null) return { ok: false, reason: absent };
  try {
    const small = await compare(machine, device, SMALL_PROBE);
    if (!(small.difference <= MAX_DIFFERENCE))
      return { ok: false, reason: `its logits differ from the CPU's by ${percent(small.difference)}` };
    if (small.speed < 1 / HOPELESSLY_SLOW) return { ok: false, reason: slower(small.speed) };
    const large = await compare(machine, device, LARGE_PROBE);
    if (!(large.difference <= MAX_DIFFERENCE))
      return { ok: false, reason: `its logits differ from the CPU's by ${percent(large.difference)}` };
    if (!(large.speed > 1)) return { ok: false, reason: slower(large.speed) };
    return {
      ok: true,
      reason: `logits match the CPU's, ${large.speed.toFixed(1)} times as fast on the probe`,
    };
  } catch (error) {
    return { ok: false, reason: reasonOf(error) };
  }
}

/** Tries even what seems absent: a person who names a device may keep its library where nobody looked. */
async function tryAsked(machine: Machine, device: Accelerator): Promise<Attempt> {
  return timed(device, async () => {
    const { difference, speed } = await compare(machine, device, SMALL_PROBE).catch(
      async (error: unknown) => {
        throw await unavailable(machine, device, machine.whyAbsent(device) ?? reasonOf(error), error);
      },
    );
    if (!(difference <= MAX_DIFFERENCE)) throw inexact(device, difference);
    return {
      ok: true,
      reason: `logits match the CPU's on the probe, ${speed >= 1 ? faster(speed) : slower(speed)}`,
    };
  });
}

/** Runs a probe on the device, then on the CPU. `difference`: share of the largest logit; `speed`: times the CPU's. */
async function compare(
  machine: Machine,
  device: Accelerator,
  size: ProbeSize,
): Promise<{ difference: number; speed: number }> {
  const there = await machine.runProbe(device, size);
  const cpu = await machine.runProbe("cpu", size);
  let [largest, difference] = [0, 0];
  for (let i = 0; i < cpu.logits.length; i++) {
    difference = Math.max(difference, Math.abs(there.logits[i] - cpu.logits[i])); // Math.max keeps a NaN
    largest = Math.max(largest, Math.abs(cpu.logits[i]));
  }
  return { difference: difference / largest, speed: cpu.seconds / there.seconds };
}

const faster = (speed: number): string => `${speed.toFixed(1)} times as fast as the CPU`;
const slower = (speed: number): string => `${(1 / speed).toFixed(1)} times slower than the CPU`;
const percent = (share: number): string => (Number.isNaN(share) ? "NaN" : `${(share * 100).toPrecision(2)}%`);

/** A runtime's message without the place in its sources that it begins with. */
function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const [, afterPlace] = /was false\.(.*)/s.exec(message) ?? [];
  return (afterPlace ?? message).replace(/\s+/g, " ").trim().replace(/\.$/, "");
}

async function unavailable(
  machine: Machine,
  device: Accelerator,
  why: string,
  cause?: unknown,
): Promise<KeystoneError> {
  const there: Provider[] = ["cpu"];
  for (const other of machine.offered) {
    if (other === device || machine.whyAbsent(other) !== null) continue;
    const runs = await machine.runProbe(other, SMALL_PROBE).then(
      () => true,
      () => false,
    );
    if (runs) there.push(other);
  }
  return new KeystoneError(
    "device/unavailable",
    `${TITLES[device]} cannot be used here: ${why}.`,
    `Available here: ${there.join(", ")}. Choose one of these, or auto.`,
    { device, reason: why, available: there.join(", ") },
    { cause },
  );
}

function inexact(device: Accelerator, difference: number): KeystoneError {
  return new KeystoneError(
    "device/inexact",
    `${TITLES[device]} computes something else than the CPU: probe logits differ by ${percent(difference)}, where ${percent(MAX_DIFFERENCE)} is allowed.`,
    "Update the graphics driver, or choose cpu.",
    { device, difference: Number.isNaN(difference) ? null : difference, allowed: MAX_DIFFERENCE },
  );
}
