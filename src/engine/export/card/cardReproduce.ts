import { commandWord, inline } from "./cardMarkup.ts";
import type { Manifest } from "../manifest/manifest.ts";

type Facts = Pick<Manifest, "asked" | "source" | "versions" | "format" | "results" | "restored">;

/** How the same files are made again: the recipe that was asked for, and the command with every option that was given. */
export function reproduceSection(facts: Facts): string {
  const { asked, source, versions } = facts;
  const named = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return [
    "Save as `recipe.json`:",
    `\`\`\`json\n${JSON.stringify(asked.recipe, null, 2)}\n\`\`\``,
    "Then, in Keystone's folder:",
    `\`\`\`sh\n${commandOf(facts)}\n\`\`\``,
    `Made with ${named.map(inline).join(", ")}. Source fingerprint: \`${source.fingerprint}\`. Hashes of the source's weights and of every file here are in \`keystone.json\`.`,
  ].join("\n\n");
}

function commandOf({ asked, source, format, results, restored }: Facts): string {
  const { recipe, kept, embedding, maxShardBytes } = asked;
  const model = commandWord(source.name, "MODEL");
  const out = commandWord(`${source.name.split("/").at(-1) ?? ""}-${recipe.scheme}${recipe.bits}`, "OUT");
  const options: [string, string | number | null | undefined][] = [
    ["--recipe", "recipe.json"],
    ["--format", format],
    ["--out", out],
    ["--kept", restored.held.length > 0 ? kept : null],
    ["--embedding", embedding === "unquantized" ? null : embedding],
    ["--max-shard", maxShardBytes],
    ...(results ? judgeOptions(results) : []),
  ];
  const given = options.filter(([, value]) => value != null).map(([name, value]) => `${name} ${value}`);
  return `npm run -s keystone -- export ${[model, ...given, ...(results ? ["--verify"] : [])].join(" ")}`;
}

function judgeOptions({
  text,
  judge,
}: NonNullable<Facts["results"]>): [string, string | number | undefined][] {
  return [
    ["--text", commandWord(text.name, "TEXT")],
    ["--context", judge.context],
    ["--stride", judge.stride],
    ["--tokens", judge.tokens],
    ["--windows", judge.windows],
    ["--join", judge.join],
  ];
}
