import { nativeTheme, type TitleBarOverlayOptions } from "electron";

/** Height of the window's title bar, in CSS pixels; the system's own buttons are drawn over it. */
const TITLE_BAR_HEIGHT = 40;

/** Colours of the parts that the system draws: `--chrome`, `--ink` and `--pane` of the window's tokens. */
const COLOURS = {
  dark: { chrome: "#0D0E11", ink: "#E9EBEE", background: "#15171A" },
  light: { chrome: "#EDF0F2", ink: "#15191E", background: "#FAFBFC" },
};

function colours(): (typeof COLOURS)["dark"] {
  return nativeTheme.shouldUseDarkColors ? COLOURS.dark : COLOURS.light;
}

/** What is seen before the page is drawn. */
export function backgroundColour(): string {
  return colours().background;
}

/** The strip behind the system's window buttons. */
export function titleBarOverlay(): TitleBarOverlayOptions {
  const { chrome, ink } = colours();
  return { color: chrome, symbolColor: ink, height: TITLE_BAR_HEIGHT };
}
