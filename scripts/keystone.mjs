#!/usr/bin/env node
// `keystone` on the PATH, once `npm link` put it there: the same door as `npm run keystone`, from any folder.
import process from "node:process";

// Of an npm script that calls us; the folder and the life of the command are the shell's.
delete process.env.INIT_CWD;
delete process.env.npm_lifecycle_event;
process.argv.splice(2, 0, "keystone");
await import("./bootstrap.mjs");
