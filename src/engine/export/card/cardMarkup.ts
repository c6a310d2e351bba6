/** A JSON string is a YAML string. */
export function yamlText(text: string): string {
  return JSON.stringify(text);
}

/** Text from files and folders, kept from becoming Markdown or HTML of its own. */
export function inline(text: string): string {
  return text.replace(/[\r\n]+/g, " ").replace(/[\\`*_[\]<>|]/g, (sign) => `\\${sign}`);
}

/** A name as a word of a command; one that a shell or Markdown could take for more is left for the person to fill in. */
export function commandWord(name: string, otherwise: string): string {
  return /^\w[\w./-]*$/.test(name) ? name : otherwise;
}

/** Rows under a head, every cell as {@link inline}. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.map(inline).join(" | ")} |`;
  return [line(head), `| ${head.map(() => "---").join(" | ")} |`, ...rows.map(line)].join("\n");
}

/** Up to six significant digits; what is not finite is said so. */
export function number(value: number | null): string {
  return value === null ? "not finite" : String(Number(value.toPrecision(6)));
}
