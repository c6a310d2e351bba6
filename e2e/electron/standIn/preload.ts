/**
 * What a sandboxed preload finds in Electron, built in the page itself. Runs in Chromium before any script of the page,
 * so it is one function without anything from outside; the preload bundle follows it as text.
 * What crosses the bridge is cloned and frozen, so that a value that Electron could not carry fails here too.
 */
export function preparePreload(platform: string): { require: (name: string) => object; process: object } {
  type Listener = (event: object, ...data: unknown[]) => void;
  type Binding = (message: object) => Promise<unknown>;
  const scope = globalThis as unknown as Record<string, unknown> & { __toMain?: Binding };
  const toMain = scope.__toMain;
  if (!toMain) throw new Error("The stand-in's binding is missing.");
  delete scope.__toMain;

  const listeners = new Map<string, Set<Listener>>();
  const paths = new Map<string, string>();
  Object.defineProperty(globalThis, "__fromMain", {
    value: (channel: string, data: unknown[]) => {
      for (const listener of listeners.get(channel) ?? []) listener({}, ...data);
    },
  });
  /** Files as the system hands them over in a drop; one made by a script has no path. */
  Object.defineProperty(globalThis, "__dropped", {
    value: (name: string, path: string) => void paths.set(name, path),
  });

  const carry = (value: unknown): unknown => {
    if (typeof value === "function") {
      const work = value as (...data: unknown[]) => unknown;
      return (...data: unknown[]): unknown => {
        const result = work(...data.map(carry));
        return result instanceof Promise ? result.then(carry) : carry(result);
      };
    }
    return value instanceof File ? value : structuredClone(value);
  };
  const electron = {
    contextBridge: {
      exposeInMainWorld: (key: string, api: Record<string, unknown>) => {
        const exposed = Object.fromEntries(Object.entries(api).map(([name, value]) => [name, carry(value)]));
        Object.defineProperty(globalThis, key, { value: Object.freeze(exposed), enumerable: true });
      },
    },
    ipcRenderer: {
      on: (channel: string, listener: Listener) => {
        const known = listeners.get(channel) ?? new Set();
        listeners.set(channel, known.add(listener));
      },
      off: (channel: string, listener: Listener) => void listeners.get(channel)?.delete(listener),
      send: (channel: string, ...data: unknown[]) => void toMain({ kind: "post", channel, data }),
      invoke: (channel: string, ...data: unknown[]) => toMain({ kind: "invoke", channel, data }),
    },
    webUtils: { getPathForFile: (file: File) => paths.get(file.name) ?? "" },
  };
  return {
    process: { platform },
    require: (name: string) => {
      if (name !== "electron") throw new Error(`module not found: ${name}`);
      return electron;
    },
  };
}
