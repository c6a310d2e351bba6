import type { App, Session, WebContents } from "electron";

/** The window's own address; the only place it may ever be. */
export const APP_ORIGIN = "app://keystone";

/**
 * What Electron's security checklist asks of every page, set once for the whole app: no navigation away from the
 * studio in any frame, no new windows, no webviews.
 */
export function hardenContents(app: App): void {
  app.on("web-contents-created", (_event, contents: WebContents) => {
    contents.on("will-frame-navigate", (event) => {
      if (!isOwn(event.url)) event.preventDefault();
    });
    contents.on("will-redirect", (event) => {
      if (!isOwn(event.url)) event.preventDefault();
    });
    contents.on("will-attach-webview", (event) => event.preventDefault());
    contents.setWindowOpenHandler(() => ({ action: "deny" }));
  });
}

/** The studio copies tables to the clipboard; it needs no other permission that a page can have. */
const ALLOWED_PERMISSION = "clipboard-sanitized-write";

/** Refuses every permission but that of copying, and that one to every page but the studio's own. */
export function denyPermissions(session: Session): void {
  session.setPermissionRequestHandler((contents, permission, answer) =>
    answer(permission === ALLOWED_PERMISSION && isOwn(contents.getURL())),
  );
  session.setPermissionCheckHandler(
    (_contents, permission, origin) => permission === ALLOWED_PERMISSION && isOwn(origin),
  );
  session.setDevicePermissionHandler(() => false);
}

/** The studio works offline: a request to anywhere but its own pages is cancelled. */
export function denyNetwork(session: Session): void {
  session.webRequest.onBeforeRequest((details, answer) => {
    answer({ cancel: !isOwn(details.url) && !/^(devtools|data|blob):/.test(details.url) });
  });
}

/** Whether an address is one of the studio's own pages. */
export function isOwn(url: string): boolean {
  try {
    const { protocol, host } = new URL(url);
    return protocol === "app:" && host === "keystone";
  } catch {
    return false;
  }
}
