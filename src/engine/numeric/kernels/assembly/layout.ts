/*
 * Where everything lies in the module's memory, in bytes. The regions of weights are 1 KiB and a cache line longer than what they
 * hold: kernels read and write whole vectors past the end, and no region starts at another's offset within a page.
 */

/** Most weights that the module holds at once; a multiple of 16. */
export const CAPACITY: i32 = 16384;
/** Thresholds that the mse search tries, r = 1.00, 0.99 … 0.50. */
export const CANDIDATES: i32 = 51;
/** The same, rounded up to whole vectors. */
export const CANDIDATE_SLOTS: i32 = 64;

const MARGIN: usize = 1088;
const REGION: usize = (<usize>CAPACITY << 2) + MARGIN;

/** Weights in block order: what is quantized. */
export const INPUT: usize = 4096;
/** ŵ. */
export const OUTPUT: usize = INPUT + REGION;
/** The original weights, where they are not what is quantized. */
export const ORIGINAL: usize = OUTPUT + REGION;
/** One f32 a block: smallest and largest weight, clip threshold (Infinity for none), first, second and third constant. */
export const LOW: usize = ORIGINAL + REGION;
export const HIGH: usize = LOW + REGION;
export const THRESHOLD: usize = HIGH + REGION;
export const FIRST: usize = THRESHOLD + REGION;
export const SECOND: usize = FIRST + REGION;
export const THIRD: usize = SECOND + REGION;
/** ŵ of a stretch of weights under one candidate threshold of the mse search. */
export const SCRATCH: usize = THIRD + REGION;
/** One f32 a candidate: threshold, range cut to it, constants. */
export const CANDIDATE_THRESHOLD: usize = SCRATCH + REGION;
export const CANDIDATE_LOW: usize = CANDIDATE_THRESHOLD + <usize>CANDIDATE_SLOTS * 4;
export const CANDIDATE_HIGH: usize = CANDIDATE_LOW + <usize>CANDIDATE_SLOTS * 4;
export const CANDIDATE_FIRST: usize = CANDIDATE_HIGH + <usize>CANDIDATE_SLOTS * 4;
export const CANDIDATE_SECOND: usize = CANDIDATE_FIRST + <usize>CANDIDATE_SLOTS * 4;
export const CANDIDATE_THIRD: usize = CANDIDATE_SECOND + <usize>CANDIDATE_SLOTS * 4;
/** Sums in four f64 lanes of 32 bytes: one of each kind, and one a candidate. */
export const LANES: usize = CANDIDATE_THIRD + <usize>CANDIDATE_SLOTS * 4;
export const SQUARES: usize = LANES + 32;
export const ERRORS: usize = SQUARES + 32;
export const LARGEST: usize = ERRORS + 32;
export const CANDIDATE_ERRORS: usize = LARGEST + 32;
/** Schemes with levels: f32 cuts between them, ascending, and the levels' bytes: all first bytes, all second ones … */
export const CUTS: usize = CANDIDATE_ERRORS + <usize>CANDIDATE_SLOTS * 32;
export const LEVEL_BYTES: usize = CUTS + 4 * 16;
/** r of each candidate, in f64. */
export const RATIOS: usize = LEVEL_BYTES + 4 * 16;
/** Codes, one byte a weight. */
export const CODES: usize = RATIOS + <usize>CANDIDATE_SLOTS * 8;
/** Weights as a file stores them, two bytes each. */
export const STORED: usize = CODES + <usize>CAPACITY + MARGIN;
export const END: usize = STORED + (<usize>CAPACITY << 1) + MARGIN;
