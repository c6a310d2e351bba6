import { KERNEL_MODULE } from "./kernelModule.ts";

/** The part of the WebAssembly interface used here; the libraries of this project declare none. */
declare const WebAssembly:
  | {
      validate(bytes: Uint8Array): boolean;
      readonly Module: new (bytes: Uint8Array) => object;
      readonly Instance: new (module: object) => { readonly exports: object };
    }
  | undefined;

/** What the module exports (see ./assembly): functions take byte addresses and counts of weights or blocks. */
interface KernelExports extends KernelFunctions {
  readonly memory: { readonly buffer: ArrayBuffer };
  readonly [address: string]: unknown;
}

interface KernelFunctions {
  configure(
    scheme: number,
    steps: number,
    smallest: number,
    largest: number,
    fixedZero: number,
    cuts: number,
    storage: number,
  ): void;
  configureGrid(
    firstScaleType: number,
    secondScaleType: number,
    largestScale: number,
    zeroScale: number,
    exactDivisor: number,
    middle: number,
    emptyBound: number,
    leastRange: number,
  ): void;
  ranges(size: number, count: number): void;
  /** 0 where a block's constants overflow. */
  fitBlocks(blocks: number): number;
  /** Follows `fitBlocks` where the sign of a constant hangs on which weight of a block comes first. */
  settleSigns(size: number, count: number): void;
  encodeBlocks(size: number, count: number): void;
  roundTripBlocks(size: number, count: number): void;
  /** 0 where one of the weights in `input`, or in `stored` with these exponent bits, is NaN or infinite. */
  finite(count: number): number;
  finiteHalves(count: number, exponent: number): number;
  widenBf16(count: number): void;
  widenF16(count: number): void;
  narrowToBf16(count: number): void;
  narrowToF16(count: number): void;
  countClipped(size: number, count: number): number;
  zscoreThresholds(size: number, count: number, z: number): void;
  /** 0 where a block's constants overflow. */
  mseThresholds(size: number, count: number): number;
  beginSearch(low: number, high: number): number;
  addToSearch(count: number): void;
  endSearch(): number;
  clearLanes(lanes: number): void;
  totalOfLanes(lanes: number): number;
  addMagnitudes(lanes: number, at: number, count: number): void;
  addSquaredDeviations(lanes: number, at: number, count: number, mean: number): void;
  clearStatistics(): void;
  addStatistics(count: number, skip: number, original: number): void;
  largestError(): number;
}

/**
 * The SIMD kernels with the memory they work in. Weights lie anywhere (shared memory included) and are copied in and out
 * `capacity` at a time: that costs some 0.3 ns a weight each way, and one small memory serves tensors of any size.
 */
export interface Kernels extends KernelFunctions {
  readonly capacity: number;
  readonly input: Float32Array;
  readonly output: Float32Array;
  readonly original: Float32Array;
  /** What `encodeBlocks` gives. */
  readonly codes: Uint8Array;
  /** Two bytes a weight: what `widen…` reads and `narrow…` writes. */
  readonly stored: Uint8Array;
  /** One value a block; the constants are those of assembly/settings.ts. */
  readonly low: Float32Array;
  readonly high: Float32Array;
  readonly threshold: Float32Array;
  readonly first: Float32Array;
  readonly second: Float32Array;
  /** Tables of the schemes with levels: cuts between them, and the levels' bytes, byte k of level i at 16·k + i. */
  readonly cuts: Float32Array;
  readonly levelBytes: Uint8Array;
  /** Addresses: of INPUT and of the lanes of sums. */
  readonly at: {
    readonly input: number;
    readonly lanes: number;
    readonly squares: number;
    readonly errors: number;
  };
}

let loaded: Kernels | null | undefined;

/** The kernels of this thread, compiled on first use; null where WebAssembly has no SIMD, and the scalar path serves. */
export function kernels(): Kernels | null {
  return (loaded ??= load());
}

function load(): Kernels | null {
  const bytes = Buffer.from(KERNEL_MODULE, "base64");
  if (typeof WebAssembly === "undefined" || !WebAssembly.validate(bytes)) return null;
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes));
  return viewsOf(exports as unknown as KernelExports);
}

function viewsOf(exports: KernelExports): Kernels {
  const address = (name: string): number => (exports[name] as { value: number }).value;
  const { buffer } = exports.memory;
  const capacity = address("CAPACITY");
  const floats = (name: string, length = capacity): Float32Array =>
    new Float32Array(buffer, address(name), length);
  return {
    ...exports,
    capacity,
    input: floats("INPUT"),
    output: floats("OUTPUT"),
    original: floats("ORIGINAL"),
    codes: new Uint8Array(buffer, address("CODES"), capacity),
    stored: new Uint8Array(buffer, address("STORED"), 2 * capacity),
    low: floats("LOW"),
    high: floats("HIGH"),
    threshold: floats("THRESHOLD"),
    first: floats("FIRST"),
    second: floats("SECOND"),
    cuts: floats("CUTS", 16),
    levelBytes: new Uint8Array(buffer, address("LEVEL_BYTES"), 4 * 16),
    at: {
      input: address("INPUT"),
      lanes: address("LANES"),
      squares: address("SQUARES"),
      errors: address("ERRORS"),
    },
  };
}
