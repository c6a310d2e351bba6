import type { Peak } from "#shared/detection.ts";

/**
 * Largest absolute value of a tap, with its sign; the first of equals. Values that are not numbers are passed over.
 * values: (tokens, width), row-major.
 */
export function peakOf(values: Float32Array, width: number): Peak {
  let place = 0;
  let largest = -1;
  for (let i = 0; i < values.length; i++) {
    const magnitude = Math.abs(values[i]);
    if (magnitude > largest) {
      largest = magnitude;
      place = i;
    }
  }
  return { value: values[place], token: Math.floor(place / width), channel: place % width };
}
