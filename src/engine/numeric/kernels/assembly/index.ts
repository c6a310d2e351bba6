export {
  CAPACITY,
  CODES,
  CUTS,
  ERRORS,
  FIRST,
  HIGH,
  INPUT,
  LANES,
  LEVEL_BYTES,
  LOW,
  ORIGINAL,
  OUTPUT,
  SECOND,
  SQUARES,
  STORED,
  THRESHOLD,
} from "./layout";
export { configure, configureGrid } from "./settings";
export { ranges } from "./range";
export { fitBlocks } from "./fit";
export { settleSigns } from "./gguf";
export { encodeBlocks } from "./encode";
export { roundTripBlocks } from "./roundTrip";
export { finite, finiteHalves, narrowToBf16, narrowToF16, widenBf16, widenF16 } from "./stored";
export {
  addMagnitudes,
  addSquaredDeviations,
  addStatistics,
  clearLanes,
  clearStatistics,
  countClipped,
  largestError,
  totalOfLanes,
  zscoreThresholds,
} from "./sums";
export { addToSearch, beginSearch, endSearch, mseThresholds } from "./mse";
