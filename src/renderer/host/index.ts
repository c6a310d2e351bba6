import type { Host } from "#shared/contract/contract.ts";
import { ElectronHost } from "./electronHost.ts";
import { HttpHost, openSocket } from "./httpHost.ts";

/** The way to the studio from where this page runs: Electron's preload, or the server that sent the page. */
export function connectHost(): Host {
  return window.keystone ? new ElectronHost(window.keystone) : new HttpHost(openSocket);
}
