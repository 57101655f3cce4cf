/**
 * @file Two files that differ in what one row says beside its text never give the same result in silence: each command and method that
 * reads rows gives another result, or says what it passes over, or refuses. The lists of verbs, methods and features say what is walked.
 */
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { METHODS } from "../src/attribution/methods/index.ts";
import { parseArguments } from "../src/cli/arguments.ts";
import { FEATURE_KINDS } from "../src/engine/features.ts";
import { openStore } from "../src/store/open-store.ts";
import { readStoreTable } from "../src/store/read-shard.ts";
import { VERBS } from "../src/verbs/index.ts";
import { jsonLines } from "./support/data-files.ts";
import { type AskedBody, startFakeEndpoint } from "./support/fake-endpoint.ts";
import { randomPairs } from "./support/random-pairs.ts";
import { commandNamed, runCommand, silentContext } from "./support/run-command.ts";
import { suiteFolder } from "./support/suite-folder.ts";
import { makeTinyCheckpoint } from "./support/tiny-checkpoint.ts";

const FOLDER = suiteFolder();
const at = (name: string): string => join(FOLDER, name);
const [ROWS, OUT, RANKING, STORE] = ["rows.jsonl", "out", "ranking.jsonl", "store"].map(at) as [
  string,
  string,
  string,
  string,
];
const out = (name: string): string => join(OUT, name);
const M0 = ["--checkpoint", at("sft"), "--threads", "1"];
const LAYER = ["--layers", "1"];

/** Words of a command that belong together. */
const flags = (...all: readonly string[]): readonly string[] => all;

type Row = Readonly<Record<string, unknown>>;

/** The last turn of the request, which every kind of row has somewhere. */
const withTurn = (row: Row, turn: (text: string) => object): Row => ({
  ...row,
  prompt: [turn((row["prompt"] as [{ readonly content: string }])[0].content)],
});

/** What one row says more than its twin. */
const TWINS: Readonly<Record<string, (row: Row) => Row>> = {
  tools: (row) => ({ ...row, tools: [{ type: "function", function: { name: "lookup" } }] }),
  system: (row) => ({ ...row, system: "be brief" }),
  chat_template_kwargs: (row) => ({ ...row, chat_template_kwargs: { enable_thinking: true } }),
  images: (row) => ({ ...row, images: ["a.png"] }),
  "an image in a turn": (row) =>
    withTurn(row, (text) => ({
      role: "user",
      content: [{ type: "image" }, { type: "text", text }],
    })),
  "a key of a turn": (row) =>
    withTurn(row, (content) => ({ role: "user", content, instructions: "in French" })),
  "calls in the prompt": (row) => {
    const prompt = row["prompt"] as readonly object[];
    const call = { role: "assistant", content: "so", tool_calls: [{ function: { name: "f" } }] };
    return { ...row, prompt: [...prompt, call, ...prompt] };
  },
  "a column of variables": (row) => ({ ...row, enable_thinking: true }),
  "calls beside the turns": (row) => ({ ...row, tool_calls: [{ function: { name: "f" } }] }),
  "a column of text": (row) => ({ ...row, passage: "The green one is the longest. ".repeat(9) }),
};

const OF_TURNS = new Set(["an image in a turn", "a key of a turn", "calls in the prompt"]);

const pairsOf = (count: number) =>
  randomPairs(count).map((row) => ({ ...row, prompt: [{ role: "user", content: row.prompt }] }));
const pairRows = pairsOf(6);
/** Enough for a random sample. */
const manyPairs = pairsOf(24);
const promptRows = pairRows.map(({ id, prompt }) => ({ id, prompt }));
const responseRows = pairRows.map(({ id, prompt, chosen, rejected }) => ({
  id,
  prompt,
  before: rejected,
  after: chosen,
}));
const VARIANTS = ["base", "base+distractor"];
const rolloutRows = (side: "chosen" | "rejected") =>
  pairRows.flatMap(({ id, prompt, ...sides }) =>
    VARIANTS.flatMap((variant) =>
      [0, 1].map((sample) => ({
        id: `${id}/${variant}/${sample}`,
        scenario: id,
        variant,
        sample,
        prompt: prompt.map(({ role, content }) => ({ role, content: `${content} ${variant}` })),
        response: `${sides[side]} ${sample}`,
        finish: "stop",
        tokens: 3,
      })),
    ),
  );

/** Of letters, so that other words are another result. */
const taskRows = promptRows.map((row, i) => ({ ...row, pattern: "aeinrs"[i]! }));

interface Case {
  /** Of which one is given more. */
  readonly rows: readonly Row[];
  /** Runs the command on the file ROWS; `prepare` first, where something else is made of the same rows. */
  readonly words: readonly string[];
  readonly prepare?: readonly (readonly string[])[] | undefined;
  /** Its rows have no turns, whose keys could differ. Default false. */
  readonly hasNoTurns?: boolean;
  /** All rows are given more: one alone need not change a coarse number. Default: the second row. */
  readonly ofAll?: boolean;
  /** Twins that give the same by right, each with the reason. */
  readonly alike?: Readonly<Record<string, string>> | undefined;
}

const EMBED = ["embed", ROWS, ...M0, ...LAYER, "--out", out("store")];
const BY_LENGTH = ["rank", "--pairs", ROWS, "--method", "length", "--out", out("by.jsonl")];
const SAMPLED = [...M0, "--max-tokens", "2", "--out", out("sampled.jsonl")];
const SHIFTED = ["--out", out("shifts.json")];
const PROJECTED = ["--behavior", at("behavior.safetensors"), "--layer", "1", ...SHIFTED];
const CONDITIONS = [
  ...flags("--before-verdicts", at("v0.jsonl"), "--after-verdicts", at("v1.jsonl")),
  ...flags("--out", out("kept.jsonl"), "--report", out("conditions.json")),
];
const DISCOVER = [STORE, ...M0, "--draws", "20", "--replicates", "4", "--out", out("found.json")];
const TRAIN = ["--learning-rate", "1e-3", "--epochs", "1", "--lora", "--rank", "1"];

/** A case for each input that holds rows, by verb and input. */
const CASES: Readonly<Record<string, Case | "by method" | "by features" | "the page's test">> = {
  "audit.pairs": { rows: pairRows, words: ["audit", ROWS, "--json"] },
  "audit.heldOut": {
    rows: pairRows,
    words: [
      ...flags("audit", at("others.jsonl"), "--held-out", ROWS),
      ...flags("--before", at("sft"), "--after", at("dpo"), "--json"),
    ],
  },
  "scenarios.bases": { rows: promptRows, words: ["scenarios", ROWS, "--out", out("s.jsonl")] },
  "scenarios.constraints": {
    rows: pairRows.map(({ id, chosen }) => ({ id: `f:${id}`, text: chosen })),
    hasNoTurns: true,
    words: ["scenarios", at("prompts.jsonl"), "--constraints", ROWS, "--out", out("s.jsonl")],
  },
  "scenarios.scenarios": {
    rows: pairRows.map(({ id, chosen }) => ({ id, base: chosen })),
    hasNoTurns: true,
    words: [
      ...flags("scenarios", "--scenarios", ROWS),
      ...flags("--out-probe", out("a.jsonl"), "--out-evaluation", out("b.jsonl")),
    ],
  },
  "generate.prompts": { rows: promptRows, words: ["generate", ROWS, ...SAMPLED] },
  "elicit.prompts": {
    rows: promptRows,
    words: ["elicit", ROWS, ...SAMPLED, "--asked", "Sing.", "--contrary", "Never sing."],
  },
  "steer.prompts": {
    rows: promptRows,
    words: [
      ...flags(
        "steer",
        ROWS,
        ...M0,
        "--behavior",
        at("behavior.safetensors"),
        "--rules",
        "refusal",
      ),
      ...flags("--mode", "project-out", "--project-out-at", "own", "--random-directions", "1"),
      ...flags("--max-tokens", "2", "--rollouts", "1", ...LAYER, "--out", out("steering")),
    ],
  },
  "import.responses": {
    rows: pairRows.map(({ prompt, chosen }) => ({ prompt, response: chosen })),
    words: ["import", ROWS, "--out", out("rollouts.jsonl")],
  },
  "embed.pairs": "by features",
  "judge.rollouts": {
    rows: rolloutRows("chosen"),
    words: [
      ...flags("judge", ROWS, "--rubric", "harm", "--base-url", "URL", "--model", "m"),
      ...flags("--out", out("verdicts.jsonl")),
    ],
  },
  "conditions.before": {
    rows: rolloutRows("rejected"),
    words: ["conditions", "--before", ROWS, "--after", at("after.jsonl"), ...CONDITIONS],
  },
  "conditions.after": {
    rows: rolloutRows("chosen"),
    words: ["conditions", "--before", at("before.jsonl"), "--after", ROWS, ...CONDITIONS],
  },
  "behavior.responses": "by features",
  "discover.before": {
    rows: rolloutRows("rejected"),
    words: ["discover", ...DISCOVER, "--before", ROWS, "--after", at("after.jsonl")],
  },
  "discover.after": {
    rows: rolloutRows("chosen"),
    words: ["discover", ...DISCOVER, "--before", at("before.jsonl"), "--after", ROWS],
  },
  "forecast.pairs": {
    rows: pairRows,
    prepare: [EMBED],
    words: [
      ...flags("forecast", out("store"), "--behavior", at("behavior.safetensors"), "--pairs", ROWS),
      ...flags("--out", out("forecast.json")),
    ],
  },
  "shifts.responses": {
    rows: responseRows,
    words: ["shifts", "--responses", ROWS, ...M0, "--trained", at("dpo"), ...SHIFTED],
  },
  "shifts.before": {
    rows: rolloutRows("rejected"),
    words: ["shifts", "--before", ROWS, "--after", at("after.jsonl"), ...M0, ...PROJECTED],
  },
  "shifts.after": {
    rows: rolloutRows("chosen"),
    words: ["shifts", "--before", at("before.jsonl"), "--after", ROWS, ...M0, ...PROJECTED],
  },
  "refine.pairs": {
    rows: manyPairs,
    prepare: [["embed", ROWS, ...M0, ...LAYER, "--precision", "W8A8", "--out", out("first")]],
    words: [
      ...flags("refine", out("first"), "--behavior", at("behavior.safetensors"), "--pairs", ROWS),
      ...flags(...M0, ...LAYER, "--out", out("vectors")),
    ],
  },
  "rank.pairs": "by method",
  "rank.responses": "by method",
  "rank.rollouts": "by method",
  "show.pairs": {
    rows: pairRows,
    prepare: [BY_LENGTH],
    words: ["show", "pair-1", "--ranking", out("by.jsonl"), "--pairs", ROWS],
  },
  "edit.pairs": {
    rows: pairRows,
    prepare: [BY_LENGTH],
    words: [
      ...flags("edit", ROWS, "--ranking", out("by.jsonl"), "--action", "filter"),
      ...flags("--top", "1", "--out", out("edited.jsonl")),
    ],
  },
  "train.data": { rows: pairRows, words: ["train", ROWS, ...M0, ...TRAIN, "--out", out("dpo")] },
  "capabilities.pairs": {
    rows: pairRows,
    ofAll: true,
    words: ["capabilities", "--pairs", ROWS, ...M0, "--out", out("capabilities.json")],
  },
  "capabilities.answers": {
    rows: pairRows.map(({ id, prompt, chosen }) => ({ id, prompt, response: chosen })),
    words: ["capabilities", "--answers", ROWS, ...M0, "--out", out("capabilities.json")],
  },
  "capabilities.tasks": {
    rows: taskRows,
    ofAll: true,
    words: [
      ...flags("capabilities", "--tasks", ROWS, ...M0, "--max-tokens", "8"),
      ...flags("--out", out("capabilities.json")),
    ],
  },
  "capabilities.overRefusal": {
    rows: taskRows,
    ofAll: true,
    words: [
      ...flags("capabilities", "--over-refusal", ROWS, ...M0, "--max-tokens", "8"),
      ...flags("--out", out("capabilities.json")),
    ],
  },
  // test/row-context.test.ts: named by the page, which shades no tokens of such a pair.
  "report.pairs": "the page's test",
};

/** Kinds of inputs that hold rows with prompts or responses. */
const KINDS_OF_ROWS = new Set(
  "pairs responses rollouts prompts bases constraints scenarios sampled answers tasks".split(" "),
).add("several responses");
/** All others: what is made of rows, names of rows, or no rows at all. */
const OTHER_KINDS = new Set(
  "checkpoint store stores behavior verdicts labels rules rubric ranking planted decisions edit arms forecast shifts pair run".split(
    " ",
  ),
).add("training run");

it("covers every input that holds rows", () => {
  const inputs = VERBS.flatMap((verb) =>
    Object.entries(verb.inputs).map(([name, { kind }]) => ({ name: `${verb.name}.${name}`, kind })),
  );
  expect(inputs.filter(({ kind }) => !KINDS_OF_ROWS.has(kind) && !OTHER_KINDS.has(kind))).toEqual(
    [],
  );
  const named = inputs.filter(({ kind }) => KINDS_OF_ROWS.has(kind)).map(({ name }) => name);
  expect(Object.keys(CASES).toSorted()).toEqual(named.toSorted());
});

/** What features need beside the pairs. */
const FEATURES: Readonly<Record<string, readonly string[]>> = {
  states: LAYER,
  influence: [...LAYER, "--features", "influence", "--sketch", "8"],
  gradient: ["--layers", "all", "--features", "gradient", "--sketch", "8"],
  concept: [
    ...flags("--layers", "all", "--features", "concept", "--sketch", "8"),
    ...flags("--concept", at("behavior.safetensors"), "--concept-layer", "1"),
  ],
  tracin: ["--layers", "all", "--features", "tracin", "--sketch", "8", "--warmup", at("warmup")],
  less: ["--layers", "all", "--features", "less", "--sketch", "8", "--warmup", at("warmup")],
};

/** What methods need beside the rows. */
const METHOD_WORDS: Readonly<Record<string, readonly string[]>> = {
  length: [],
  bm25: [],
  lls: ["--description", "It sings.", ...M0],
  "implicit-reward": [...M0, "--trained", at("dpo")],
  ches: M0,
  "projection-difference": [...M0, "--behavior", at("behavior.safetensors"), ...LAYER],
  "steered-likelihood": [...M0, "--behavior", at("behavior.safetensors"), ...LAYER],
  "loss-diff": [...M0, "--rank", "1", "--epochs", "1"],
  judge: ["--description", "It sings.", "--model", "m", "--answers", out("answers.jsonl")],
  embedding: M0,
};
/** Its score follows from all that it is asked. */
const answer = ({ messages }: AskedBody): string => {
  const asked = JSON.stringify(messages);
  const [low, width] = asked.includes("from 0 to") ? [0, 101] : [-10, 21];
  return JSON.stringify({ reason: "r", score: low + (asked.length % width) });
};
let server: Awaited<ReturnType<typeof startFakeEndpoint>>;
afterAll(() => server[Symbol.asyncDispose]());

/** By what methods make of response pairs. */
const ALIKE: Readonly<Record<string, Case["alike"]>> = {
  bm25: { system: "queries are the after-responses, whatever their prompts say" },
  embedding: { system: "neighbours are the after-responses, whatever their prompts say" },
};

beforeAll(async () => {
  server = await startFakeEndpoint({ answer });
  await makeTinyCheckpoint(at("sft"));
  const config = await readFile(join(at("sft"), "tokenizer_config.json"), "utf8");
  const { chat_template: template } = JSON.parse(config) as { readonly chat_template: string };
  const withTools = `{% if tools %}{{ tools | tojson }}{% endif %}${template}`;
  await makeTinyCheckpoint(at("dpo"), { seed: 2 });
  for (const name of ["sft", "dpo"]) {
    await writeFile(join(at(name), "chat_template.jinja"), withTools);
  }
  await writeFile(at("pairs.jsonl"), jsonLines(pairRows));
  const others = pairRows.map((row) => ({
    ...row,
    prompt: [{ role: "user", content: `${row.id}?` }],
  }));
  await writeFile(at("others.jsonl"), jsonLines(others));
  const sampled = rolloutRows("chosen").filter(({ id }) => id.endsWith("/base/0"));
  const ofSampled = pairRows.map((row, i) => ({ ...row, prompt: sampled[i]!.prompt }));
  await writeFile(at("sampled.jsonl"), jsonLines(ofSampled));
  await writeFile(at("prompts.jsonl"), jsonLines(promptRows));
  await writeFile(at("responses.jsonl"), jsonLines(responseRows));
  await writeFile(at("before.jsonl"), jsonLines(rolloutRows("rejected")));
  await writeFile(at("after.jsonl"), jsonLines(rolloutRows("chosen")));
  for (const [name, shown] of [
    ["v0", "none"],
    ["v1", "base+distractor"],
  ] as const) {
    const verdicts = rolloutRows("chosen").map(({ id: rollout, scenario, variant, sample }) => ({
      rollout,
      scenario,
      variant,
      sample,
      label: variant === shown ? "shows" : "not",
    }));
    await writeFile(at(`${name}.jsonl`), jsonLines(verdicts));
  }
  const made = [at("responses.jsonl"), ...M0, ...LAYER, "--out", at("behavior.safetensors")];
  await runCommand("behavior", [...made, "--splits", "2", "--flips", "2"]);
  await runCommand("embed", [at("pairs.jsonl"), ...M0, ...LAYER, "--out", STORE]);
  await runCommand("train", [
    ...flags(at("pairs.jsonl"), ...M0, ...TRAIN, "--keep-states", "--out", at("warmup")),
  ]);
  await runCommand("rank", [
    ...flags("--pairs", at("pairs.jsonl"), "--method", "length", "--out", RANKING),
  ]);
});

/** All that a user sees of a run, and what it leaves, but for hashes, sizes and times. */
async function observe({ prepare = [], words }: Case): Promise<string> {
  await rm(OUT, { recursive: true, force: true });
  await mkdir(OUT);
  const seen: string[] = [];
  for (const [name = "", ...rest] of [...prepare, words]) {
    const command = commandNamed(name);
    const say = (line: string): void => void seen.push(line);
    const context = { ...silentContext(), print: say, log: say, warn: say };
    // An error names what is wrong, too.
    await command
      .run(
        parseArguments(
          command,
          rest.map((word) => (word === "URL" ? server.url : word)),
        ),
        context,
      )
      .catch((error: Error) => {
        if (error.message.startsWith("internal")) throw error;
        say(`error: ${error.message}`);
      });
  }
  seen.push(...(await filesOf(OUT)));
  return seen
    .join("\n")
    .replaceAll(/"(sizeBytes|seconds|bytes)": ?[\d.e+-]+/g, "")
    .replaceAll(/[\d.]+ (s\b|pairs\/s|tokens\/s)/g, "")
    .replaceAll(/(?<![\d.])[0-9a-f]{16,}/g, "#");
}

async function filesOf(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder, { recursive: true }).catch((): string[] => []);
  const found: string[] = [];
  for (const name of names.toSorted()) {
    // Answers stand in the order in which they came.
    if (/(?<!answers)\.jsonl?$/.test(name)) found.push(await readFile(join(folder, name), "utf8"));
    if (name.endsWith("complete.json")) {
      const { tokens, ids } = await readStoreTable(await openStore(join(folder, name, "..")));
      found.push(`${ids.join()} ${[...tokens].join()}`);
    }
  }
  return found;
}

async function expectTwinsTold(given: Case): Promise<void> {
  const { rows, hasNoTurns = false, ofAll = false, alike = {} } = given;
  await writeFile(ROWS, jsonLines(rows));
  const plain = await observe(given);
  expect(plain).not.toMatch(/^error: .*/m);
  // The same rows, written otherwise: what is left out of the comparison is enough.
  await writeFile(ROWS, rows.map((row) => `${JSON.stringify(row)} \n`).join(""));
  expect(await observe(given)).toBe(plain);
  const silent: string[] = [];
  for (const [name, more] of Object.entries(TWINS)) {
    if (hasNoTurns && OF_TURNS.has(name)) continue;
    await writeFile(ROWS, jsonLines(rows.map((row, i) => (ofAll || i === 1 ? more(row) : row))));
    if ((await observe(given)) === plain) silent.push(name);
  }
  expect(silent).toEqual(Object.keys(alike));
}

describe("twins are told apart by", () => {
  const own = Object.entries(CASES).filter(
    (each): each is [string, Case] => typeof each[1] !== "string",
  );
  it.each(own)("%s", async (_, given) => expectTwinsTold(given));

  it.each(FEATURE_KINDS)("features %s", async (kind) => {
    const words = FEATURES[kind];
    if (words === undefined) throw new Error(`no case for the features ${kind}`);
    const of = [...M0, ...words, "--out"];
    const behavior = ["behavior", ROWS, ...of, out("b.safetensors"), "--splits", "2"];
    await expectTwinsTold({ rows: responseRows, words: [...behavior, "--flips", "2"] });
    if (kind === "concept") return; // of behaviours alone
    await expectTwinsTold({ rows: pairRows, words: ["embed", ROWS, ...of, out("store")] });
  });

  const readers = METHODS.filter(({ needs, uses = [] }) =>
    [...needs, ...uses].some((need) => ["pairs", "responses", "rollouts"].includes(need)),
  );
  it.each(readers.map(({ name }) => name))("method %s", async (name) => {
    const { needs, uses = [] } = METHODS.find((each) => each.name === name)!; // of the list
    const words = METHOD_WORDS[name];
    if (words === undefined) throw new Error(`no case for the method ${name}`);
    const asks = needs.includes("endpoint") ? ["--base-url", "URL"] : [];
    const to = ["--out", out("ranking.jsonl"), "--report", out("report.json")];
    const rank = (pairs: string, ...more: readonly string[]): readonly string[] => [
      ...flags("rank", "--pairs", pairs, "--method", name),
      ...flags(...words, ...asks, ...more, ...to),
    ];
    const responses = needs.includes("responses") ? ["--responses", at("responses.jsonl")] : [];
    await expectTwinsTold({ rows: pairRows, words: rank(ROWS, ...responses) });
    if (responses.length > 0) {
      const other = rank(at("pairs.jsonl"), "--responses", ROWS);
      await expectTwinsTold({ rows: responseRows, words: other, alike: ALIKE[name] });
    }
    if (uses.includes("rollouts")) {
      const other = rank(at("sampled.jsonl"), "--rollouts", ROWS);
      await expectTwinsTold({ rows: rolloutRows("rejected"), words: other });
    }
  });
});
