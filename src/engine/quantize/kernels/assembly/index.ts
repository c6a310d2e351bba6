export {
  CAPACITY,
  CUTS,
  ERRORS,
  HIGH,
  INPUT,
  LANES,
  LEVEL_BYTES,
  LOW,
  ORIGINAL,
  OUTPUT,
  SQUARES,
  THRESHOLD,
} from "./layout";
export { configure, configureGrid } from "./settings";
export { ranges } from "./range";
export { fitBlocks } from "./fit";
export { roundTripBlocks } from "./roundTrip";
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
