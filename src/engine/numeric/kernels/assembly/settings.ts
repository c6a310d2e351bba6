/** ŵ = round((w − low)·s)/s + low; constants low, s. */
export const RTN: i32 = 0;
/** ŵ = (code − zero)·scale, code = clamp(round(w/divisor + before) + after); constants scale, zero, divisor. */
export const INT: i32 = 1;
/** ŵ = level·scale; constant scale. */
export const LEVELS: i32 = 2;
/** ŵ = (level + 1)/s + low; constants low, s. */
export const LEVELS_MINMAX: i32 = 3;

/** ŵ = (code − zero)·scale, code = clamp(round(w·reciprocal + zero)), halves up; constants scale, zero, reciprocal. */
export const MATMULNBITS: i32 = 4;

/** GGUF's schemes. ŵ = (code − zero)·scale, code = min(⌊w·inverse + zero + ½⌋); constants scale, zero, inverse. */
export const GGUF_SIGNED: i32 = 5;
/** ŵ = code·scale + f16(low), code = min(⌊(w − low)·inverse + ½⌋); constants scale, f16(low), inverse. */
export const GGUF_AFFINE: i32 = 6;
/** ŵ = (code − zero)·scale, code = round(w·inverse) + zero, halves away from 0; constants scale, zero, inverse. */
export const GGUF_Q8: i32 = 7;

export const F16: i32 = 1;
export const BF16: i32 = 2;

/** What the kernels do next: set by `configure`. */
export let scheme: i32 = RTN;
/** What a range is divided into: its denominator in a scale. */
export let steps: f32 = 15;
/** Integer codes are clamped to smallest … largest. */
export let smallest: f32 = 0;
export let largest: f32 = 15;
/** The zero point of symmetric codes, −1 where each block has its own. */
export let fixedZero: f32 = -1;
/** Cuts between levels: one fewer than the levels. */
export let cuts: i32 = 0;
/** 0 for F32, else F16 or BF16. */
export let storage: i32 = 0;

/** What tells the integer schemes apart (see integerGrid.ts): the types that a scale is rounded to, one after the other … */
export let firstScaleType: i32 = F16;
export let secondScaleType: i32 = F16;
/** … the largest scale, and what a scale of 0 becomes … */
export let largestScale: f32 = 65504;
export let zeroScale: f32 = 0;
/** … whether codes are divided by the scale before it was rounded … */
export let exactDivisor: bool = false;
/** … half the levels where the zero point is added before rounding, else 0 … */
export let middle: f32 = 0;
/** … and what an empty and a narrow range count as. */
export let emptyBound: f32 = 0;
export let leastRange: f32 = 0;

/** Sets scheme, its numbers and the storage type for the calls that follow. */
export function configure(
  nextScheme: i32,
  nextSteps: f32,
  nextSmallest: f32,
  nextLargest: f32,
  nextFixedZero: f32,
  nextCuts: i32,
  nextStorage: i32,
): void {
  scheme = nextScheme;
  steps = nextSteps;
  smallest = nextSmallest;
  largest = nextLargest;
  fixedZero = nextFixedZero;
  cuts = nextCuts;
  storage = nextStorage;
}

/** Sets what tells the integer schemes apart; follows `configure`. */
export function configureGrid(
  nextFirstScaleType: i32,
  nextSecondScaleType: i32,
  nextLargestScale: f32,
  nextZeroScale: f32,
  nextExactDivisor: bool,
  nextMiddle: f32,
  nextEmptyBound: f32,
  nextLeastRange: f32,
): void {
  firstScaleType = nextFirstScaleType;
  secondScaleType = nextSecondScaleType;
  largestScale = nextLargestScale;
  zeroScale = nextZeroScale;
  exactDivisor = nextExactDivisor;
  middle = nextMiddle;
  emptyBound = nextEmptyBound;
  leastRange = nextLeastRange;
}
