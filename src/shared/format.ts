/** How numbers are written in the window and in reports. Missing is "–", minus is a true minus, thousands have a comma. */

export const MISSING = "–";
const MINUS = "−";
/** From here on digits written out hide how large a number is, and the last ones are not its own. */
const POWERS_FROM = 1e15;

/** `1,234.50`, `−0.8000`, `3.2 × 10⁴⁰`, `–` for null. A value that is not finite is written "not finite". */
export function number(value: number | null | undefined, decimals = 2): string {
  if (value === null || value === undefined) return MISSING;
  if (!Number.isFinite(value)) return "not finite";
  if (Math.abs(value) >= POWERS_FROM) return power(value);
  const text = formatter(decimals).format(Math.abs(value));
  // What rounds to zero has no sign.
  return value < 0 && /[1-9]/.test(text) ? MINUS + text : text;
}

const formatters: Intl.NumberFormat[] = [];

/** Making one takes far longer than using it, and a sweep writes tens of thousands of numbers. */
function formatter(decimals: number): Intl.NumberFormat {
  return (formatters[decimals] ??= new Intl.NumberFormat("en-US", {
    minimumFractionDigits: decimals,
    maximumFractionDigits: decimals,
  }));
}

/** So many significant digits: `1,190`, `0.0312`, `−2`, `1.19 × 10⁴⁰`; powers of ten also for what is all but zero. */
export function significant(value: number, digits: number): string {
  const size = Math.abs(value);
  if (size >= POWERS_FROM || (size > 0 && size < SMALLEST_WRITTEN_OUT)) return power(value, digits - 1);
  return value.toLocaleString("en-US", { maximumSignificantDigits: digits }).replace("-", MINUS);
}
/** A smaller number written out is more zeros than digits. */
const SMALLEST_WRITTEN_OUT = 1e-9;

/** A score, or why there is none: `not finite` where the evaluation overflowed. */
export function score(value: number | null | undefined, decimals = 2, notFinite = false): string {
  return notFinite ? "not finite" : number(value, decimals);
}

/** `+0.49`, `−0.80`, `0.00`. */
export function signed(value: number | null | undefined, decimals = 2): string {
  const text = number(value, decimals);
  return value !== null && value !== undefined && value > 0 && /[1-9]/.test(text) ? `+${text}` : text;
}

/** A count in full: `16,777,216`. */
export function count(value: number | null | undefined): string {
  return number(value, 0);
}

/** A count in prose: `1.28 B`, `805.3 M`, in full below a million. */
export function shortCount(value: number): string {
  if (value >= POWERS_FROM) return power(value);
  if (value >= 1e9) return `${number(value / 1e9, 2)} B`;
  if (value >= 1e6) return `${number(value / 1e6, 1)} M`;
  return count(value);
}

/** `1 layer`, `2 layers`, `1,204 weights`. */
export function plural(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}

/** Fewest decimals (from `least` to `most`) at which the two numbers are written differently. */
export function decimalsThatSeparate(a: number | null, b: number | null, least = 2, most = 4): number {
  if (a === null || b === null) return least;
  for (let decimals = least; decimals < most; decimals++) {
    if (number(a, decimals) !== number(b, decimals)) return decimals;
  }
  return most;
}

/** Perplexity in a heatmap cell: full decimals near the original, fewer further away (12.90, 46.6, 236). */
export function cellPerplexity(value: number | null, original: number | null, decimals = 2): string {
  if (value === null) return MISSING;
  if (original !== null && value < original * 2 && value < 100) return number(value, decimals);
  if (value < 10) return number(value, decimals);
  return number(value, value < 100 ? 1 : 0);
}

/** `98.2%` from 0.982. */
export function percent(fraction: number | null | undefined, decimals = 1): string {
  return fraction === null || fraction === undefined ? MISSING : `${number(fraction * 100, decimals)}%`;
}

/** How many times larger or smaller: `× 96`, `× 2.50`, `÷ 5.30`, `× 2.4 × 10⁷`; `no change` where two decimals show none. */
export function factor(ratio: number | null): string {
  if (ratio === null || !Number.isFinite(ratio) || ratio <= 0) return MISSING;
  const size = ratio >= 1 ? ratio : 1 / ratio;
  const digits = size >= 1e6 ? power(size) : number(size, size < 10 ? 2 : 0);
  return digits === "1.00" ? "no change" : `${ratio >= 1 ? "×" : "÷"} ${digits}`;
}

/** A weight's value: 4 decimals. */
export function weight(value: number | null | undefined): string {
  return number(value, 4);
}

/** An activation: 1 decimal. */
export function activation(value: number | null | undefined): string {
  return number(value, 1);
}

/** Perplexity; in powers of ten where it has left every scale. */
export function perplexity(value: number | null | undefined, decimals = 2): string {
  return value !== null && value !== undefined && Number.isFinite(value) && value >= 1e6
    ? power(value)
    : number(value, decimals);
}

/** KL divergence in nats: 4 decimals, in powers of ten where four decimals would hide it. */
export function divergence(value: number | null | undefined): string {
  if (value !== null && value !== undefined && value > 0 && value < 0.00005) return power(value);
  return number(value, 4);
}

/** `3.2 × 10⁻⁶`. */
export function power(value: number, decimals = 1): string {
  const [mantissa = "", exponent = "0"] = value.toExponential(decimals).split("e");
  const digits = exponent.replace("+", "").replace(/[-\d]/g, (c) => SUPERSCRIPT[c] ?? c);
  return `${mantissa.replace("-", MINUS)} × 10${digits}`;
}
const SUPERSCRIPT: Record<string, string> = {
  "-": "⁻",
  "0": "⁰",
  "1": "¹",
  "2": "²",
  "3": "³",
  "4": "⁴",
  "5": "⁵",
  "6": "⁶",
  "7": "⁷",
  "8": "⁸",
  "9": "⁹",
};

/** Multiples of the standard deviation: `61.0`. */
export function sigmas(value: number | null | undefined): string {
  return number(value, 1);
}

/** Bits per weight: 3 decimals in tables, 2 in sentences. */
export function bits(value: number | null | undefined, where: "table" | "prose" = "table"): string {
  return number(value, where === "table" ? 3 : 2);
}

/** Size of a file, decimal as on the Hub: `5.12 GB`, `8.4 MB`, `12 kB`. */
export function fileSize(bytes: number | null | undefined): string {
  if (bytes === null || bytes === undefined) return MISSING;
  if (bytes >= 1e9) return `${number(bytes / 1e9, 2)} GB`;
  if (bytes >= 1e5) return `${number(bytes / 1e6, 1)} MB`;
  if (bytes >= 1e3) return `${number(bytes / 1e3, 0)} kB`;
  return plural(bytes, "byte");
}

/** Amount of memory, binary: `5.3 GiB`, `640 MiB`. */
export function memory(bytes: number | null | undefined): string {
  if (bytes === null || bytes === undefined) return MISSING;
  const gib = bytes / 2 ** 30;
  return gib >= 0.995 ? `${number(gib, 1)} GiB` : `${number(Math.max(1, bytes / 2 ** 20), 0)} MiB`;
}

/** Time that went by: `2.8 s`, `41 s`, `9:21`, `1:52:10`. */
export function duration(seconds: number | null | undefined): string {
  if (seconds === null || seconds === undefined) return MISSING;
  if (seconds < 9.95) return `${number(seconds, 1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const two = (value: number): string => String(value).padStart(2, "0");
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes}:${two(whole % 60)}`;
  return `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(whole % 60)}`;
}

/** Time that is left: `about 33 min`. Coarse on purpose, so that it stands still. */
export function estimate(seconds: number | null | undefined): string {
  return seconds === null || seconds === undefined ? MISSING : `about ${roughly(seconds)}`;
}

/** `38 to 46 min`; one figure where both ends read the same. */
export function estimateRange(low: number, high: number): string {
  const [from, to] = [roughly(low), roughly(high)];
  if (from === to) return `about ${from}`;
  const unit = / (s|min|h)$/.exec(to)?.[0] ?? "";
  return from.endsWith(unit) && !from.includes(" h ")
    ? `${from.slice(0, -unit.length)} to ${to}`
    : `${from} to ${to}`;
}

function roughly(seconds: number): string {
  if (seconds < 10) return `${Math.max(1, Math.round(seconds))} s`;
  if (seconds < 55) return `${Math.round(seconds / 5) * 5} s`;
  const minutes = Math.max(1, Math.round(seconds / 60));
  if (minutes < 60) return `${minutes} min`;
  const tens = Math.round(minutes / 10) * 10;
  const rest = tens % 60;
  return `${Math.floor(tens / 60)} h${rest > 0 ? ` ${rest} min` : ""}`;
}

/** `271 tok/s`; below 10 with one decimal. */
export function rate(perSecond: number | null | undefined, unit = "tok"): string {
  if (perSecond === null || perSecond === undefined) return MISSING;
  return `${number(perSecond, perSecond < 10 ? 1 : 0)} ${unit}/s`;
}

/** `[1764, 1710]`: row, column, counted from 0; `[9, 7] of expert 3` in a layer with experts. */
export function place(row: number, column: number, expert?: number): string {
  return `[${row}, ${column}]${expert === undefined ? "" : ` of expert ${expert}`}`;
}

/** `50304 × 2048`; a scalar has no sizes. */
export function shape(sizes: readonly number[]): string {
  return sizes.length === 0 ? "scalar" : sizes.join(" × ");
}

/** A tensor's name without `.weight`, split before its last part: `["model.layers.1.mlp.", "down_proj"]`. */
export function tensorName(name: string): [path: string, last: string] {
  const short = name.replace(/\.weight$/, "");
  const dot = short.lastIndexOf(".");
  return [short.slice(0, dot + 1), short.slice(dot + 1)];
}

/** `Today 10:42`, `Yesterday`, `Mon 18:05` within a week, `12 Nov`, `12 Nov 2024` in another year. */
export function when(iso: string, now = new Date()): string {
  const then = new Date(iso);
  if (Number.isNaN(then.getTime())) return MISSING;
  const time = then.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
  const days = Math.round((startOfDay(now) - startOfDay(then)) / 86_400_000);
  if (days === 0) return `Today ${time}`;
  if (days === 1) return "Yesterday";
  if (days > 1 && days < 7) return `${then.toLocaleDateString("en-GB", { weekday: "short" })} ${time}`;
  const sameYear = then.getFullYear() === now.getFullYear();
  return then.toLocaleDateString("en-GB", {
    day: "numeric",
    month: "short",
    ...(sameYear ? {} : { year: "numeric" }),
  });
}

function startOfDay(date: Date): number {
  return new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime();
}

/** A sentence's first letter in upper case. */
export function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** Words joined as in a sentence: `1`, `1 and 2`, `1, 2 and 7`. */
export function list(items: readonly (string | number)[]): string {
  if (items.length < 2) return items.join("");
  return `${items.slice(0, -1).join(", ")} and ${items[items.length - 1]}`;
}
