import { mount } from "svelte";
import App from "./App.svelte";
import { connectHost } from "../host/index.ts";
import "../styles/index.css";

const target = document.getElementById("app");
if (!target) throw new Error("index.html has no element with the id app.");
// The charts' library is large: fetch it while a person looks at the first screen.
requestIdleCallback(() => void import("plotly.js-strict-dist-min"));

mount(App, { target, props: { host: connectHost() } });
