/** Copies text; where the page may not use the clipboard (plain HTTP on another machine), through a selection. */
export async function copyText(text: string): Promise<void> {
  // Typed as always there, but absent outside secure contexts.
  const clipboard = navigator.clipboard as Clipboard | undefined;
  if (clipboard) {
    await clipboard.writeText(text);
    return;
  }
  const area = document.createElement("textarea");
  area.value = text;
  document.body.append(area);
  area.select();
  // Deprecated, and the only way left there.
  // eslint-disable-next-line @typescript-eslint/no-deprecated
  document.execCommand("copy");
  area.remove();
}

/** Rows as tab-separated text, for spreadsheets. */
export function tsv(rows: readonly (readonly string[])[]): string {
  return rows.map((row) => row.map((cell) => cell.replaceAll(/[\t\n\r]+/g, " ")).join("\t")).join("\n");
}
