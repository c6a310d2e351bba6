/** Media types by a file name's ending. */
const TYPES: Readonly<Record<string, string>> = {
  csv: "text/csv;charset=utf-8",
  json: "application/json",
  html: "text/html;charset=utf-8",
  md: "text/markdown;charset=utf-8",
  svg: "image/svg+xml;charset=utf-8",
};

/** Saves text as a file: the browser's download, in the desktop app its dialog. */
export function saveText(name: string, content: string): void {
  const ending = name.slice(name.lastIndexOf(".") + 1);
  saveBlob(name, new Blob([content], { type: TYPES[ending] ?? "text/plain;charset=utf-8" }));
}

export function saveBlob(name: string, blob: Blob): void {
  const address = URL.createObjectURL(blob);
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  // The download begins in a later turn of the loop; the address must still be there then.
  setTimeout(() => URL.revokeObjectURL(address), ADDRESS_MS);
}
const ADDRESS_MS = 60_000;

/** A file name of words that every system takes: `demo-model-sensitivity-perplexity.csv`. */
export function fileName(parts: readonly string[], ending: string): string {
  const words = parts.map((part) =>
    part
      .normalize("NFKD")
      .replaceAll(/[^A-Za-z0-9._]+/g, "-")
      .replaceAll(/^[-.]+|[-.]+$/g, ""),
  );
  return `${words.filter((word) => word !== "").join("-") || "keystone"}.${ending}`;
}
