const MAC = /Mac|iPhone|iPad/.test(navigator.platform);

const NAMES: Record<string, string> = {
  Enter: "↵",
  Shift: "⇧",
  Ctrl: MAC ? "⌘" : "Ctrl",
  Escape: "Esc",
  Up: "↑",
  Down: "↓",
};

/** Keys as the platform prints them. */
export function keyNames(keys: readonly string[]): string[] {
  return keys.map((key) => NAMES[key] ?? key);
}

/** Ctrl, or Command on macOS, without Alt. */
export function hasCommand(event: KeyboardEvent): boolean {
  return (MAC ? event.metaKey : event.ctrlKey) && !event.altKey;
}

/** Whether the key belongs to a text field, where letters and arrows must stay what they are. */
export function isTyping(event: KeyboardEvent): boolean {
  const target = event.target;
  return (
    target instanceof HTMLTextAreaElement ||
    target instanceof HTMLSelectElement ||
    (target instanceof HTMLInputElement && !["checkbox", "radio", "range", "button"].includes(target.type))
  );
}
