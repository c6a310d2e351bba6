import type { VariantResult } from "#shared/run.ts";

/** A stretch of a worker's lane in milliseconds of the run's clock. Several variants are one stretch where they would be thinner than a line. */
export interface LaneSegment {
  from: number;
  to: number;
  /** Ids in it, in the order they finished. */
  ids: readonly string[];
  state: "done" | "failed" | "running";
}

/**
 * One lane per worker. The variants of a wave start together and share its time: each gets an equal part.
 * @param now the run's clock, for waves that are not over
 * @param most segments per lane; neighbours are joined above it
 */
export function laneSegments(
  results: readonly VariantResult[],
  workers: number,
  now: number,
  most = 240,
): LaneSegment[][] {
  const waves = new Map<string, VariantResult[]>();
  for (const result of results) {
    if (result.worker === null || result.startedAt === null) continue;
    if (result.status !== "done" && result.status !== "failed" && result.status !== "running") continue;
    const key = `${result.worker}/${result.startedAt}`;
    const wave = waves.get(key);
    if (wave) wave.push(result);
    else waves.set(key, [result]);
  }
  const lanes = Array.from({ length: workers }, (): LaneSegment[] => []);
  for (const wave of waves.values()) {
    const worker = wave[0]?.worker ?? 0;
    (lanes[worker] ??= []).push(...segmentsOf(wave, now));
  }
  return lanes.map((lane) =>
    join(
      lane.sort((a, b) => a.from - b.from),
      most,
    ),
  );
}

function segmentsOf(wave: readonly VariantResult[], now: number): LaneSegment[] {
  const from = wave[0]?.startedAt ?? 0;
  const over = wave
    .filter(({ status }) => status !== "running")
    .sort((a, b) => (a.finishedAt ?? 0) - (b.finishedAt ?? 0));
  const end = over.length < wave.length ? Math.max(now, from) : (over.at(-1)?.finishedAt ?? from);
  if (over.length < wave.length) return [{ from, to: end, ids: wave.map(({ id }) => id), state: "running" }];
  const share = (end - from) / wave.length;
  return over.map(({ id, status }, i) => ({
    from: from + i * share,
    to: from + (i + 1) * share,
    ids: [id],
    state: status === "failed" ? "failed" : "done",
  }));
}

/** Joins neighbours of the same state until there are few enough; failures stay by themselves. */
function join(lane: LaneSegment[], most: number): LaneSegment[] {
  if (lane.length <= most) return lane;
  const every = Math.ceil(lane.length / most);
  const joined: LaneSegment[] = [];
  for (const segment of lane) {
    const last = joined.at(-1);
    if (last?.state === "done" && segment.state === "done" && last.ids.length < every) {
      joined[joined.length - 1] = { ...last, to: segment.to, ids: [...last.ids, ...segment.ids] };
    } else joined.push(segment);
  }
  return joined;
}

/** Ticks of the lanes' time axis in seconds: at 1-2-5 steps of seconds, minutes or hours, seven at most. */
export function timeTicks(seconds: number): number[] {
  const steps = [1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 18_000, 36_000, 86_400];
  const step = steps.find((one) => seconds / one <= 7) ?? 86_400;
  return Array.from({ length: Math.floor(seconds / step) + 1 }, (_, i) => i * step);
}

/** Length of the time axis: what is expected, rounded up so that it stands still while the estimate moves. */
export function axisSeconds(elapsed: number, left: number | null): number {
  const expected = Math.max(1, elapsed + (left ?? elapsed * 0.25));
  const step = 10 ** Math.floor(Math.log10(expected)) / 2;
  return Math.ceil(expected / step) * step;
}
