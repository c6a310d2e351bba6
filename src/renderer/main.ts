import { mount } from "svelte";
import App from "./App.svelte";
import { connectHost } from "./host/index.ts";
import "./styles/index.css";

const target = document.getElementById("app");
if (!target) throw new Error("index.html has no element with the id app.");
mount(App, { target, props: { host: connectHost() } });
