import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { TOKENIZER_PARTS } from "../src/model/tokenizer-parts.ts";
import { loadTokenizer } from "../src/model/tokenizer.ts";
import {
  type SuiteRow,
  readTokenizerSuite,
  suiteHash,
  suiteTexts,
  suiteTokenizer,
} from "./support/tokenizer-texts.ts";

const suite = await readTokenizerSuite();
const texts = suiteTexts(suite);
const names = Object.keys(suite.pipelines);

describe("the tokenizer suite", () => {
  let folder = "";
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "culprit-suite-"));
  });
  afterAll(async () => {
    await rm(folder, { recursive: true });
  });

  it.each(names)(
    "%s: ids and decoded texts are those of the tokenizers library",
    async (name) => {
      const pipeline = suite.pipelines[name]!; // its own key
      const json = suiteTokenizer(suite, pipeline);
      await writeFile(join(folder, "tokenizer.json"), JSON.stringify(json));
      const tokenizer = await loadTokenizer(folder);
      const plain = tokenizer.encodeBatch(texts);
      // Nothing else adds tokens; the hashes are of the ids that the library gave when asked to.
      const special = pipeline.post_processor
        ? tokenizer.encodeBatch(texts, { addSpecialTokens: true })
        : plain;
      const kept = tokenizer.decodeBatch(plain);
      const left = tokenizer.decodeBatch(special, { skipSpecialTokens: true });
      const rows = texts.map((_, i): SuiteRow => [plain[i]!, special[i]!, kept[i]!, left[i]!]);
      const blocks = suite.hashes[name]!.split(" ");
      const different = blocks.flatMap((hash, block) =>
        suiteHash(rows.slice(block * suite.block, (block + 1) * suite.block)) === hash ? [] : block,
      );
      // `make_suite.py --show NAME BLOCK` prints what the texts of a block should give.
      expect(different).toEqual([]);
      expect(blocks).toHaveLength(Math.ceil(texts.length / suite.block));
    },
    60_000,
  );

  it("has 10,000 texts over all categories of Unicode", () => {
    expect(new Set(texts).size).toBeGreaterThan(9_500);
    const categories = Object.keys(suite.pools);
    expect(categories).toHaveLength(29);
    for (const category of categories) {
      const pattern = new RegExp(`\\p{${category}}`, "u");
      expect(texts.some((text) => pattern.test(text))).toBe(true);
    }
  });

  it.each(
    Object.entries(TOKENIZER_PARTS).flatMap(([place, kinds]) =>
      Object.keys(kinds).map((kind) => [place, kind] as const),
    ),
  )("has a pipeline with the %s %s", (place, kind) => {
    const used = Object.values(suite.pipelines).map((pipeline) =>
      JSON.stringify(
        place === "model" ? suite.models[pipeline.model]!.type : pipeline[place as "decoder"],
      ),
    );
    expect(used.some((text) => text?.includes(`"${kind}"`))).toBe(true);
  });
});
