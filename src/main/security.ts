import type { App, Session, WebContents } from "electron";

/** The window's own address; the only place it may ever be. */
export const APP_ORIGIN = "app://keystone";

/**
 * What Electron's security checklist asks of every page, set once for the whole app: no navigation away from the
 * studio, no new windows, no webviews, no permissions.
 */
export function hardenContents(app: App): void {
  app.on("web-contents-created", (_event, contents: WebContents) => {
    contents.on("will-navigate", (event) => {
      if (!isOwn(event.url)) event.preventDefault();
    });
    contents.on("will-redirect", (event) => {
      if (!isOwn(event.url)) event.preventDefault();
    });
    contents.on("will-attach-webview", (event) => event.preventDefault());
    contents.setWindowOpenHandler(() => ({ action: "deny" }));
  });
}

/** Nothing in the studio needs a camera, a location or a notification permission of its own. */
export function denyPermissions(session: Session): void {
  session.setPermissionRequestHandler((_contents, _permission, answer) => answer(false));
  session.setPermissionCheckHandler(() => false);
  session.setDevicePermissionHandler(() => false);
}

/** The studio works offline: a request to anywhere but its own pages is cancelled. */
export function denyNetwork(session: Session): void {
  session.webRequest.onBeforeRequest((details, answer) => {
    answer({ cancel: !/^(app|devtools|data|blob):/.test(details.url) });
  });
}

export function isOwn(url: string): boolean {
  try {
    const { protocol, host } = new URL(url);
    return protocol === "app:" && host === "keystone";
  } catch {
    return false;
  }
}
