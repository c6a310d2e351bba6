import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from "node:zlib";
import { snappyUncompress, type CompressionCodec, type Compressors } from "hyparquet";

/** What unpacks a page of each codec. A page that unpacks to more than its header says is stopped there. */
export const COMPRESSORS: Compressors = {
  UNCOMPRESSED: (input) => input,
  SNAPPY: (input, length) => {
    const output = new Uint8Array(length);
    snappyUncompress(input, output);
    return output;
  },
  GZIP: (input, length) => gunzipSync(input, bound(length)),
  BROTLI: (input, length) => brotliDecompressSync(input, bound(length)),
  ZSTD: (input, length) => zstdDecompressSync(input, bound(length)),
};

/** @throws Error where the codec is not known or the page is not of the declared length */
export function unpack(codec: CompressionCodec, page: Uint8Array, length: number): Uint8Array {
  const compressor = COMPRESSORS[codec];
  if (!compressor)
    throw new Error(`its pages are packed with ${codec}; known are ${Object.keys(COMPRESSORS).join(", ")}`);
  const bytes = compressor(page, length);
  if (bytes.length !== length) throw new Error(`a page of ${length} bytes unpacks to ${bytes.length}`);
  return bytes;
}

function bound(length: number): { maxOutputLength: number } {
  return { maxOutputLength: Math.max(1, length) };
}
