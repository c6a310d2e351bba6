import { readFile, stat, writeFile } from "node:fs/promises";
import { fileSource } from "#engine/files/byteSource.ts";
import type { MetadataEntry } from "#engine/formats/gguf/layout/metadata.ts";
import { readGgufHeader } from "#engine/formats/gguf/read/readGgufHeader.ts";
import { encodeHeader } from "#engine/formats/gguf/write/metadataWriter.ts";

/** A GGUF file once more with other metadata: `change` gets all of it to alter. The tensors stay as they are. */
export async function editedGguf(
  file: string,
  out: string,
  change: (metadata: Map<string, MetadataEntry>) => void,
): Promise<string> {
  const source = fileSource(file, (await stat(file)).size);
  const { metadata, tensors } = await readGgufHeader(source).finally(() => source.close());
  const begin = Math.min(...tensors.map((tensor) => tensor.begin));
  const edited = new Map(metadata);
  change(edited);
  const header = encodeHeader(
    edited,
    tensors.map(({ name, type, shape, begin: at }) => ({ name, type: type.id, shape, offset: at - begin })),
  );
  await writeFile(out, Buffer.concat([header, (await readFile(file)).subarray(begin)]));
  return out;
}
