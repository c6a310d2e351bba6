// Who may import whom: the rooms of src/ and the folders of the engine, held by lint.
import type { Linter } from "eslint";

/** The rooms in dependency order: each may import those before it, never those after it. */
const ROOMS = ["shared", "engine", "worker", "studio"];
const FACES = ["main", "preload", "renderer", "cli", "serve"];
const ALL = [...ROOMS, ...FACES];

/** What a room must not import, as `#room/…` or as a relative path out of it. */
const FORBIDDEN: Readonly<Record<string, readonly string[]>> = {
  ...Object.fromEntries(ROOMS.map((room, i) => [room, [...ROOMS.slice(i + 1), ...FACES]])),
  main: ["renderer", "preload", "cli", "serve", "engine", "worker"],
  preload: ["engine", "worker", "studio", "main", "renderer", "cli", "serve"],
  renderer: ["engine", "worker", "studio", "main", "preload", "cli", "serve"],
  // The command line starts the server: its `serve` command is the one door between two faces.
  cli: ["main", "preload", "renderer"],
  serve: ["main", "preload", "renderer", "cli"],
};

/** The engine's folders from the lowest up: each may import those before it. ARCHITECTURE.md says what each is for. */
export const ENGINE_ORDER = [
  "numeric",
  "files",
  "tokenizer",
  "checkpoint",
  "architecture",
  "inventory",
  "quantize",
  "recipe",
  "formats",
  "forward",
  "evaluate",
  "tasks",
  "superweight",
  "lab",
  "export",
];

const OUT_OF_ROOM = "Across rooms, import through #shared, #engine, #worker or #studio.";

interface Pattern {
  readonly regex: string;
  readonly message: string;
}

/** What keeps the files of a room from importing what lies above it. */
const roomPatterns = (room: string): Pattern[] => [
  {
    regex: `^(#|(\\.\\./)+)(${(FORBIDDEN[room] ?? []).join("|")})/`,
    message: "Arrows point from faces to studio to worker to engine to shared, never back.",
  },
  {
    regex: `^(\\.\\./)+(${ROOMS.filter((other) => other !== room).join("|")})/`,
    message: OUT_OF_ROOM,
  },
];

/** The same inside the engine; a file's rule holds all of its patterns, since a later rule replaces an earlier one. */
const enginePatterns = (folder: string, i: number): Pattern[] => [
  {
    regex: `^(\\.\\./)+(${ENGINE_ORDER.filter((other) => other !== folder).join("|")})/`,
    message: "Across folders of the engine, import through #engine.",
  },
  ...(i === ENGINE_ORDER.length - 1
    ? []
    : [
        {
          regex: `^#engine/(${ENGINE_ORDER.slice(i + 1).join("|")})/`,
          message: `${folder} stands below that folder: the engine's order is ${ENGINE_ORDER.join(", ")}.`,
        },
      ]),
];

const restricted = (files: string, patterns: readonly Pattern[]): Linter.Config => ({
  files: [files],
  rules: { "no-restricted-imports": ["error", { patterns }] },
});

/** The rules of `no-restricted-imports`, as ESLint takes them. */
export const DIRECTIONS: Linter.Config[] = [
  ...ALL.map((room) => restricted(`src/${room}/**/*.{ts,svelte}`, roomPatterns(room))),
  ...ENGINE_ORDER.map((folder, i) =>
    restricted(`src/engine/${folder}/**/*.ts`, [...roomPatterns("engine"), ...enginePatterns(folder, i)]),
  ),
];
