import type { CustomScheme, OnBeforeRequestListenerDetails, Protocol, Session } from "electron";
import { answer } from "./channel.ts";
import type { ServedResponse } from "./messages.ts";

type Handle = Parameters<Protocol["handle"]>[1];
type BeforeRequest = (
  details: OnBeforeRequestListenerDetails,
  callback: (response: { cancel?: boolean }) => void,
) => void;

const schemes = new Map<string, CustomScheme>();
const handlers = new Map<string, Handle>();
let beforeRequest: BeforeRequest | null = null;
let checkPermission: Parameters<Session["setPermissionCheckHandler"]>[0] = null;

export const protocol: Pick<Protocol, "registerSchemesAsPrivileged" | "handle"> = {
  registerSchemesAsPrivileged: (added) => {
    for (const scheme of added) schemes.set(scheme.scheme, scheme);
  },
  handle: (scheme, handler) => {
    if (!schemes.has(scheme))
      throw new Error(`The scheme ${scheme} was not declared before the app was ready.`);
    handlers.set(scheme, handler);
  },
};

export const session = {
  defaultSession: {
    webRequest: { onBeforeRequest: (listener: BeforeRequest) => (beforeRequest = listener) },
    setPermissionCheckHandler: (handler: typeof checkPermission) => (checkPermission = handler),
    setPermissionRequestHandler: () => undefined,
    setDevicePermissionHandler: () => undefined,
  },
};

function cancelled(url: string): Promise<boolean> {
  const listener = beforeRequest;
  if (!listener) return Promise.resolve(false);
  return new Promise((resolve) =>
    listener({ url } as OnBeforeRequestListenerDetails, ({ cancel }) => resolve(cancel ?? false)),
  );
}

answer("request", async ({ url, method }): Promise<ServedResponse | "cancelled" | "network"> => {
  if (await cancelled(url)) return "cancelled";
  const handler = handlers.get(new URL(url).protocol.slice(0, -1));
  // Electron would now ask the network.
  if (!handler) return "network";
  const response = await handler(new Request(url, { method }));
  return {
    status: response.status,
    headers: Object.fromEntries(response.headers),
    body: new Uint8Array(await response.arrayBuffer()),
  };
});

type Permission = Parameters<NonNullable<typeof checkPermission>>[1];

answer("permission", ({ origin, permission }) => {
  const details = { isMainFrame: true, requestingUrl: origin };
  return checkPermission?.(null, permission as Permission, origin, details) ?? true;
});
