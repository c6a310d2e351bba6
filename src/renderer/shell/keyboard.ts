import type { Screen } from "../screens/index.ts";
import { chooseModel, type App } from "../state/app.ts";
import { hasCommand, isTyping } from "../parts/keys.ts";

/** The frame's keys; a view's own keys are handled where the focus is, before these. */
export function onShortcut(event: KeyboardEvent, app: App, screens: readonly Screen[]): void {
  if (event.defaultPrevented) return;
  const done = hasCommand(event) || isAltDigit(event) ? onCommand(event, app, screens) : onPlain(event, app);
  if (done) event.preventDefault();
}

/** Browsers keep Ctrl with a digit for their tabs, so Alt with a digit does the same. */
function isAltDigit(event: KeyboardEvent): boolean {
  return event.altKey && !event.ctrlKey && !event.metaKey && /^[1-6]$/.test(event.key);
}

function onCommand(event: KeyboardEvent, app: App, screens: readonly Screen[]): boolean {
  const key = event.key.toLowerCase();
  if (key === "k") app.ui.palette = !app.ui.palette;
  else if (document.querySelector("dialog[open]"))
    return key === "enter" && press("dialog[open] .btn.primary");
  else if (key === "o" && !event.shiftKey) void chooseModel(app);
  else if (key === "j") app.ui.queue = true;
  else if (key === "b") app.ui.navigation = !app.ui.navigation;
  else if (key === "i" && !event.shiftKey) app.ui.inspector = !app.ui.inspector;
  else if (key === "enter") return press("main .btn.primary");
  else {
    const screen = screens.find((one) => one.digit === key);
    if (!screen) return false;
    const target = screen.target?.(app.studio) ?? { screen: screen.id, id: "" };
    if (app.studio.model) app.router.go(target.screen, target.id);
  }
  return true;
}

function onPlain(event: KeyboardEvent, app: App): boolean {
  if (event.key === "F6") return nextRegion(event.shiftKey ? -1 : 1);
  if (document.querySelector("dialog[open]")) return false;
  if (event.key === "/" && !isTyping(event)) return focus("main [data-filter]");
  if (event.key === "?" && !isTyping(event)) return (app.ui.help = true);
  if (event.key === "Escape") {
    if (!app.ui.palette) return focus("main table[role=grid]");
    app.ui.palette = false;
    return true;
  }
  return false;
}

/** Presses the primary button of the view or the dialog; false where there is none that can be pressed. */
function press(selector: string): boolean {
  const button = document.querySelector<HTMLButtonElement>(`${selector}:not([disabled])`);
  button?.click();
  return button !== null;
}

function focus(selector: string): boolean {
  const element = document.querySelector<HTMLElement>(selector);
  element?.focus();
  return element !== null;
}

/** Moves the focus to the next region: navigation, view, inspector, status bar. */
function nextRegion(step: 1 | -1): boolean {
  const regions = [...document.querySelectorAll<HTMLElement>("[data-region]")].filter(
    (one) => one.offsetParent !== null,
  );
  if (regions.length === 0) return false;
  // The innermost region that holds the focus: an inspector lies inside its view.
  const now = regions.findLastIndex((region) => region.contains(document.activeElement));
  const next = regions[(now + step + regions.length) % regions.length];
  next?.focus();
  return true;
}
