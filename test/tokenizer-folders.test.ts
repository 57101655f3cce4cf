import { copyFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { afterEach, describe, expect, it } from "vitest";

import { type TextTokenizer, loadTokenizer } from "../src/model/tokenizer.ts";
import { CulpritError } from "../src/util/errors.ts";

const GOLDEN = fileURLToPath(new URL("golden/tokenizer/", import.meta.url));

/** As make_folders.py writes it. */
interface FolderCase {
  readonly name: string;
  readonly base: string;
  readonly change: Readonly<Record<string, unknown>>;
  readonly files: Readonly<Record<string, unknown>>;
  readonly rows?: readonly (readonly [number[], number[], string, string])[];
  readonly named?: { readonly [name in "bos" | "eos" | "pad"]: number | null };
  readonly size?: number;
  readonly refused?: true;
  readonly warns?: boolean;
}

const { texts, cases } = JSON.parse(await readFile(join(GOLDEN, "folders.json"), "utf8")) as {
  texts: readonly string[];
  cases: readonly FolderCase[];
};

describe("the files beside tokenizer.json", () => {
  const made: string[] = [];
  afterEach(async () => {
    for (const folder of made.splice(0)) await rm(folder, { recursive: true });
  });

  async function load({ base, change, files }: FolderCase): Promise<TextTokenizer> {
    const folder = await mkdtemp(join(tmpdir(), "culprit-folder-"));
    made.push(folder);
    const file = join(folder, "tokenizer.json");
    await copyFile(join(GOLDEN, base, "tokenizer.json"), file);
    if (Object.keys(change).length > 0) {
      const json = JSON.parse(await readFile(file, "utf8")) as object;
      await writeFile(file, JSON.stringify({ ...json, ...change }));
    }
    for (const [name, content] of Object.entries(files)) {
      await writeFile(join(folder, name), JSON.stringify(content));
    }
    return loadTokenizer(folder);
  }

  it.each(cases.filter(({ rows }) => rows !== undefined))(
    "give the ids and texts that transformers gives: $name",
    async (given) => {
      const tokenizer = await load(given);
      const got = texts.map((text) => {
        const plain = [...tokenizer.encode(text)];
        const special = [...tokenizer.encode(text, { addSpecialTokens: true })];
        const left = tokenizer.decode(special, { skipSpecialTokens: true });
        return [plain, special, tokenizer.decode(plain), left];
      });
      expect(got).toEqual(given.rows);
      const { bosId: bos = null, eosId: eos = null, padId: pad = null } = tokenizer;
      expect({ bos, eos, pad }).toEqual(given.named);
      expect(tokenizer.vocabSize).toBe(given.size);
      expect(tokenizer.warnings).toEqual([]);
    },
  );

  it.each(cases.filter(({ refused }) => refused))("are refused by name: $name", async (given) => {
    await expect(load(given)).rejects.toBeInstanceOf(CulpritError);
    await expect(load(given)).rejects.toThrow(/added token "|special token "|split_special|ids/);
  });

  it.each(cases.filter(({ warns }) => warns !== undefined))(
    "warn exactly where transformers 5 builds another tokenizer: $name",
    async (given) => {
      const { warnings } = await load(given);
      expect(warnings.length).toBe(given.warns ? 1 : 0);
      for (const line of warnings) expect(line).toMatch(/transformers 5 .*tokenizer\.json/);
    },
  );
});
