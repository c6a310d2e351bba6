import { E4M3_VALUES } from "#engine/quantize/schemes/fp8.ts";

/** float8_e5m2: five bits of exponent, two of mantissa, with infinities. */
const E5M2_VALUES = Float32Array.from({ length: 256 }, (_, byte) => {
  const sign = byte < 128 ? 1 : -1;
  const [exponent, mantissa] = [(byte >> 2) & 31, byte & 3];
  if (exponent === 31) return mantissa === 0 ? sign * Infinity : NaN;
  return sign * (exponent === 0 ? mantissa / 2 ** 16 : (1 + mantissa / 4) * 2 ** (exponent - 15));
});

/** The value of each byte of safetensors' 8-bit types. */
export const BYTE_VALUES: Readonly<Record<string, Float32Array>> = {
  F8_E4M3: E4M3_VALUES,
  F8_E5M2: E5M2_VALUES,
  /** Powers of two alone: 2^(byte − 127), and no number. */
  F8_E8M0: Float32Array.from({ length: 256 }, (_, byte) => (byte === 255 ? NaN : 2 ** (byte - 127))),
};

/** The value of each nibble of float4_e2m1. */
export const E2M1_VALUES = Float32Array.from({ length: 16 }, (_, nibble) => {
  const magnitude = [0, 0.5, 1, 1.5, 2, 3, 4, 6][nibble & 7];
  return nibble < 8 ? magnitude : -magnitude;
});
