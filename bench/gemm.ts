import { Graph } from "#engine/architecture/graph/graph.ts";
import { floats, openSession } from "#engine/forward/session.ts";

/** One matrix product x·Wᵀ: x (rows, inner), W (outer, inner), and how often it is computed. */
export interface Gemm {
  rows: number;
  inner: number;
  outer: number;
  times: number;
}

const REPEATS = 5;

export interface GemmTime {
  /** Wall time. */
  seconds: number;
  /** Processor time of this process; on a busy machine the fairer number. */
  cpuSeconds: number;
}

/**
 * What the products alone take on the CPU provider, with the weight as a graph input as Keystone feeds it.
 * Each distinct shape is timed on its own (best of five after one to warm up) and multiplied by how often it occurs.
 */
export async function gemmTime(gemms: readonly Gemm[], threads: number): Promise<GemmTime> {
  const graph = new Graph("gemm");
  const x = graph.input("x", ["rows", "inner"]);
  const w = graph.input("w", ["outer", "inner"]);
  graph.output("y", graph.linear(x, w), ["rows", "outer"]);
  const session = await openSession(graph.encode(), { provider: "cpu", threads });
  const total: GemmTime = { seconds: 0, cpuSeconds: 0 };
  for (const { rows, inner, outer, times } of gemms) {
    const feeds = {
      x: floats(new Float32Array(rows * inner).fill(0.5), [rows, inner]),
      w: floats(new Float32Array(outer * inner).fill(0.01), [outer, inner]),
    };
    const results = { y: floats(new Float32Array(rows * outer), [rows, outer]) };
    await session.run(feeds, results);
    const best: GemmTime = { seconds: Infinity, cpuSeconds: Infinity };
    for (let i = 0; i < REPEATS; i++) {
      const cpu = process.cpuUsage();
      const started = performance.now();
      await session.run(feeds, results);
      best.seconds = Math.min(best.seconds, (performance.now() - started) / 1000);
      const { user, system } = process.cpuUsage(cpu);
      best.cpuSeconds = Math.min(best.cpuSeconds, (user + system) / 1e6);
    }
    total.seconds += best.seconds * times;
    total.cpuSeconds += best.cpuSeconds * times;
  }
  await session.release();
  return total;
}

/** The wall time alone. */
export async function gemmSeconds(gemms: readonly Gemm[], threads: number): Promise<number> {
  return (await gemmTime(gemms, threads)).seconds;
}

/** Multiplications and additions of the products. */
export function gemmFlops(gemms: readonly Gemm[]): number {
  return gemms.reduce((sum, { rows, inner, outer, times }) => sum + 2 * rows * inner * outer * times, 0);
}
