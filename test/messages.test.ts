/** @file Rows of preference data as people have them, through reader, shape, template and tokenizer, held to TRL's token ids. */
import { copyFile, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import type { Message } from "../src/format/messages.ts";
import { UnusableExampleError } from "../src/model/prompt-renderer-error.ts";
import { createRenderer, type PromptRenderer } from "../src/model/prompt-renderer.ts";
import { openPairs } from "../src/pairs/open-pairs.ts";
import type { PreferencePair, UnusableRow } from "../src/pairs/preference-pair.ts";
import { readRows } from "../src/pairs/readers/read-rows.ts";
import { collect, temporaryFile } from "./support/data-files.ts";

const GOLDEN = fileURLToPath(new URL("golden/messages/", import.meta.url));
const TOKENIZERS = fileURLToPath(new URL("golden/tokenizer/", import.meta.url));

/** Prompt, chosen and rejected ids, or the reason why there are none. */
type Outcome = string | readonly (readonly number[])[];
type Pair = readonly [readonly Message[], readonly Message[], readonly Message[]];

async function readJson<T>(name: string): Promise<T> {
  return JSON.parse(await readFile(join(GOLDEN, name), "utf8")) as T; // golden files hold what their script says
}

const golden = await readJson<{
  readonly rows: readonly (readonly [string, Outcome])[];
  readonly datasets: readonly (readonly [string, Outcome])[];
  readonly boundary: readonly (readonly [
    string,
    Record<"chat" | "raw", readonly Outcome[]> & { readonly texts: readonly (readonly number[])[] },
  ])[];
}>("golden.json");
const pairs = await readJson<readonly Pair[]>("pairs.json");
const lines = (await readFile(join(GOLDEN, "rows.jsonl"), "utf8")).trim().split("\n");
const rows = lines.map((line) => {
  const { name, template } = JSON.parse(line) as { name: string; template: string };
  // The row as it is written: parsing it here would lose what the reader has to keep.
  return { name, template, text: line.slice(line.indexOf('"row": ') + 7, -1) };
});
const templateOf = new Map(rows.map(({ name, template }) => [name, template]));
const outcomeOf = new Map(golden.rows);

const TEXTS = await readJson<readonly string[]>("texts.json");

const renderers = new Map<string, PromptRenderer>();
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "culprit-messages-"));
  for (const name of ["tokenizer.json", "tokenizer_config.json"]) {
    await copyFile(join(TOKENIZERS, "chatml-plain", name), join(folder, name));
  }
  for (const name of new Set(templateOf.values())) {
    await copyFile(join(GOLDEN, "templates", `${name}.jinja`), join(folder, "chat_template.jinja"));
    renderers.set(name, await createRenderer(folder));
  }
});
afterAll(() => rm(folder, { recursive: true }));

function outcome(row: PreferencePair | UnusableRow, renderer: PromptRenderer): Outcome {
  if (row.kind === "unusable") return row.reason;
  return tokenized(renderer, [row.prompt, row.chosen, row.rejected], row);
}

/** Of the first row; a file without a row that can be read is refused as a whole. */
async function outcomeOfFile(path: string, renderer: PromptRenderer): Promise<Outcome> {
  const [first] = await collect(readRows(path));
  if (first?.kind === "broken") return first.reason;
  const [row] = await collect((await openPairs([path])).read());
  return outcome(row!, renderer);
}

function tokenized(
  renderer: PromptRenderer,
  [prompt, ...responses]: Pair,
  { context }: Pick<PreferencePair, "context"> = {},
): Outcome {
  try {
    const example = renderer.tokenize(prompt, responses, context);
    return [[...example.prompt], ...example.responses.map((ids) => [...ids])];
  } catch (error) {
    if (!(error instanceof UnusableExampleError)) throw error;
    return error.reason;
  }
}

describe("rows", () => {
  it.each(rows)("$name", async ({ name, template, text }) => {
    const path = await temporaryFile("x.jsonl", `${text}\n`);
    expect(await outcomeOfFile(path, renderers.get(template)!)).toEqual(outcomeOf.get(name));
  });

  it("are all in the golden file, and most are usable", () => {
    expect(golden.rows.map(([name]) => name)).toEqual(rows.map(({ name }) => name));
    expect(golden.rows.filter(([, each]) => typeof each !== "string").length).toBeGreaterThan(40);
  });
});

describe("the same rows in a file", () => {
  async function outcomes(name: string): Promise<(readonly [string, Outcome])[]> {
    const set = await openPairs([join(GOLDEN, "formats", name)]);
    const found: (readonly [string, Outcome])[] = [];
    for (const row of await collect(set.read())) {
      const id = row.kind === "pair" ? row.id : `row ${row.fileRow}`;
      found.push([id, outcome(row, renderers.get(templateOf.get(id) ?? "chatml")!)]);
    }
    return found;
  }

  it.each([
    "rows.jsonl",
    "rows.json",
    "json-text.jsonl",
    "json-text.parquet",
    "pandas.csv",
    "pandas.tsv",
  ])("%s", async (name) => {
    const found = await outcomes(name);
    expect(found).toEqual(found.map(([id]) => [id, outcomeOf.get(id)]));
    expect(found.map(([id]) => id)).toEqual(golden.datasets.map(([id]) => id));
  });

  it("written by datasets, with columns of type JSON, are as the trainer reads them from there", async () => {
    expect(await outcomes("datasets.parquet")).toEqual(golden.datasets);
  });

  it("in Python's notation are refused", async () => {
    await expect(outcomes("python-notation.csv")).rejects.toThrow(
      expect.objectContaining({ hint: expect.stringContaining("Python's notation") as string }),
    );
  });
});

describe.each(golden.boundary)("responses with the %s tokenizer", (name, expected) => {
  it.each(["chat", "raw"] as const)("begin where TRL's do, %s", async (template) => {
    const renderer = await createRenderer(join(TOKENIZERS, name), { template });
    expect(pairs.map((pair) => tokenized(renderer, pair))).toEqual(expected[template]);
  });

  it("and texts for SFT end in the end token, once", async () => {
    const renderer = await createRenderer(join(TOKENIZERS, name));
    const end = renderer.tokenizer.decode([renderer.tokenizer.eosId!]);
    const texts = [...TEXTS, `ends in it${end}`];
    expect(texts.map((text) => [...renderer.tokenizeText(text)])).toEqual(expected.texts);
  });
});
