/** @file Every verb declares each setting once, and a further verb, method or engine is one file and one line of its registry. */
import { execFileSync } from "node:child_process";
import { cp, readFile, symlink, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";

import { beforeAll, describe, expect, it } from "vitest";

import { commandHelp } from "../src/cli/help.ts";
import { verbCommand } from "../src/cli/verb-command.ts";
import { verbFlags } from "../src/cli/verb-flags.ts";
import { ELSEWHERE } from "../src/experiment/sections.ts";
import { settingsTable } from "../src/experiment/settings-table.ts";
import { RUN } from "../src/runs/run-manifest.ts";
import { VERBS } from "../src/verbs/index.ts";
import { jsonSchemaOf } from "../src/verbs/json-schema.ts";
import { listSettings } from "../src/verbs/list-settings.ts";
import { makeMiniatureExperiment } from "./support/miniature-experiment.ts";
import { suiteFolder } from "./support/suite-folder.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const FOLDER = suiteFolder();

/** Where the experiment file has a setting; null where it has none. */
function yamlPath(verb: string, path: readonly string[]): string | null {
  for (let length = path.length; length >= 0; length--) {
    const elsewhere = ELSEWHERE[[verb, ...path.slice(0, length)].join(".")];
    if (elsewhere === null) return null;
    if (elsewhere !== undefined) return [elsewhere, ...path.slice(length)].join(".");
  }
  return [verb === "edit" ? "edits[]" : verb, ...path].join(".");
}

const table = settingsTable()
  .split("\n")
  .map((line) => /^\| `([^`]+)` \|/.exec(line)?.[1]);

describe.each(VERBS.map((verb) => [verb.name, verb] as const))("%s", (name, verb) => {
  const settings = listSettings(jsonSchemaOf(verb.settings));

  it("has each setting once in its help", () => {
    const heads = commandHelp(verbCommand(verb)).split("\n");
    for (const { flag } of verbFlags(verb).ofSettings) {
      const found = heads.filter((line) => new RegExp(`^  (-., )?--${flag}( |$)`).test(line));
      expect({ flag, times: found.length }).toEqual({ flag, times: 1 });
    }
    expect(verbFlags(verb).ofSettings.map(({ path }) => path)).toEqual(
      settings.map(({ path }) => path),
    );
  });

  // import reads what other programs sampled: an experiment samples itself. doctor looks at the machine before there is one, show at what
  // it left.
  it.skipIf(["import", "doctor", "show"].includes(name))(
    "has each setting once in the experiment file and its table",
    () => {
      for (const { path, isSwitch } of settings) {
        const at = yamlPath(name, path);
        if (at === null || isSwitch === true) continue;
        const times = table.filter((row) => row === at).length;
        expect({ at, times }).toEqual({ at, times: 1 });
      }
    },
  );
});

const TALLY = `import { writeFile } from "node:fs/promises";

import { z } from "zod";

import { rankingInput } from "./inputs/files.ts";
import { pairsInput } from "./inputs/pairs.ts";
import { defineVerb } from "./verb.ts";

export const tally = defineVerb({
  name: "tally",
  summary: "Counts rows",
  about: "Counts rows.",
  version: 1,
  inputs: { pairs: pairsInput, ranking: { ...rankingInput, isOptional: true } },
  settings: z.strictObject({
    step: z.int().min(1).default(1).describe("How much a row counts."),
  }),
  outputs: {
    out: {
      artifact: { name: "tally.txt", files: (path) => [path] },
      placeholder: "FILE",
      describe: "The number.",
    },
  },
  run: async ({ pairs }, { step }, { out }) => {
    let count = 0;
    for await (const _row of pairs.read({})) count += step;
    await writeFile(out.out, \`\${count}\\n\`);
    return count;
  },
  show: (count) => \`\${count} rows\`,
});
`;

const LETTERS = `import { z } from "zod";

import { defineMethod } from "../method.ts";

export const letters = defineMethod({
  name: "letters",
  meaning: "The id has many of one letter.",
  settings: z.strictObject({
    letter: z.string().length(1).default("1").describe("letters: the one that is counted."),
  }),
  needs: [],
  describe: ({ letter }) => ({
    formula: \`times that \${letter} occurs in the id\`,
    traits: { isBounded: false, null: "none", hasVerdict: false, hasLayer: false },
  }),
  score: ({ rows }, { letter }) =>
    Promise.resolve([{ scores: Float32Array.from(rows.ids, (id) => id.split(letter).length - 1) }]),
});
`;

/** The local engine under another name. */
const OTHER_HOST = `import { localHost } from "./local-host.ts";

export const otherHost = { ...localHost, kind: "other" };
`;

describe("a verb, a method and an engine that are one file and one line of a registry each", () => {
  const copy = join(FOLDER, "copy");
  const culprit = (...words: string[]): string =>
    execFileSync(process.execPath, ["--import", "tsx", "src/cli/main.ts", ...words], {
      cwd: copy,
      encoding: "utf8",
    });

  /** Adds a file, and its name to a registry. */
  async function add(
    path: string,
    text: string,
    registry: string,
    [line, longer]: readonly [string, string],
  ): Promise<void> {
    await writeFile(join(copy, "src", path), text);
    const file = join(copy, "src", registry);
    const name = /^export const (\w+)/m.exec(text)![1]!;
    const listed = (await readFile(file, "utf8")).replace(line, longer);
    await writeFile(file, `import { ${name} } from "./${basename(path)}";\n${listed}`);
  }

  beforeAll(async () => {
    for (const name of ["src", "package.json", "rubrics"]) {
      await cp(join(ROOT, name), join(copy, name), { recursive: true });
    }
    await symlink(join(ROOT, "node_modules"), join(copy, "node_modules"));
    await add("verbs/tally.ts", TALLY, "verbs/index.ts", ["  audit,\n", "  audit,\n  tally,\n"]);
    await add("attribution/methods/letters.ts", LETTERS, "attribution/methods/index.ts", [
      "  length,\n",
      "  length,\n  letters,\n",
    ]);
    await add("engine/other-host.ts", OTHER_HOST, "engine/engines.ts", [
      "rayHost]",
      "rayHost, otherHost]",
    ]);
  });

  it("are in the help", () => {
    expect(culprit("--help")).toMatch(/^ {2}tally +Counts rows$/m);
    expect(culprit("tally", "--help")).toMatch(
      /^ {2}--step N +How much a row counts\. Default: 1\.$/m,
    );
    const rank = culprit("rank", "--help");
    expect(rank).toMatch(/^ {2}--letter .*letters: the one that is counted\. Default: 1\.$/m);
    expect(rank.replaceAll(/\s+/g, " ")).toContain("letters: The id has many of one letter.");
    expect(culprit("embed", "--help")).toMatch(
      /^ {2}--engine [^]*?One\s+of\s+local,\s+ray,\s+other\./m,
    );
  });

  it("are in the JSON Schema and the settings table", () => {
    const schema = JSON.parse(culprit("run", "--schema")) as {
      readonly properties: Readonly<Record<string, { readonly properties: object }>>;
    };
    expect(Object.keys(schema.properties["tally"]!.properties)).toEqual(["step"]);
    const text = JSON.stringify(schema);
    expect(text).toContain('"const":"letters"');
    expect(text).toContain('"enum":["local","ray","other"]');
    const shown = culprit("run", "--settings");
    expect(shown).toContain(
      "| `tally.step` | whole number from 1 | `1` | How much a row counts. |",
    );
    expect(shown).toMatch(/^\| `rank\.methods\[\]\.letter` \|/m);
    expect(shown).toMatch(/^\| `engine\.kind` \| local, ray, other \|/m);
  });

  it("work in an experiment, and a changed setting makes the verb's stage again", async () => {
    const make = (step: number): Promise<string> =>
      makeMiniatureExperiment(join(FOLDER, "experiment"), {
        probe: undefined,
        discover: undefined,
        steer: undefined,
        edits: undefined,
        evaluate: undefined,
        train: undefined,
        judge: undefined,
        rank: "{ methods: [{ name: letters }] }",
        engine: "{ kind: other }",
        responses: "unrelated.jsonl",
        tally: `{ step: ${step} }`,
      });
    const out = join(FOLDER, "out");
    const counted = async (step: number): Promise<string> => {
      culprit("run", await make(step), "--out", out);
      const { stages } = await RUN.read(join(out, RUN.name));
      const { directory } = stages.find(({ id }) => id === "tally")!;
      return readFile(join(out, directory!, "tally.txt"), "utf8");
    };
    expect(await counted(1)).toBe("80\n");
    expect(await counted(2)).toBe("160\n");
  });
});
