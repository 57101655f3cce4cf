import { mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { assert, property, string } from "fast-check";
import { afterEach, describe, expect, it } from "vitest";

import { ConfigError, FormatError, RuntimeError, UnsupportedError } from "../util/errors.ts";
import { type TextTokenizer, loadTokenizer } from "./tokenizer.ts";

const GOLDEN = fileURLToPath(new URL("../../test/golden/tokenizer/", import.meta.url));
const CASES = (await readdir(GOLDEN, { withFileTypes: true }))
  .filter((entry) => entry.isDirectory() && !entry.name.startsWith("_"))
  .map((entry) => entry.name);

/** What the tests below change in a tokenizer.json. */
interface TokenizerJson {
  pre_tokenizer: unknown;
  normalizer: unknown;
  added_tokens: unknown[];
  readonly model: { type: string; dropout: number; readonly merges: unknown[] };
}

interface Golden {
  readonly special: { readonly [name in "bos" | "eos" | "pad"]: number | null } & {
    readonly size: number;
  };
  /** Ids, ids with special tokens, decoded, decoded without special tokens. */
  readonly texts: readonly (readonly [number[], number[], string, string])[];
}

/** A tokenizer of one letter with these parts. */
function broken(parts: object): object {
  return { ...parts, model: { type: "BPE", vocab: { a: 0 }, merges: [] } };
}

function splitAt(pattern: object | undefined): object {
  return { type: "Split", pattern, behavior: "Isolated", invert: false };
}

async function readJson(path: string): Promise<unknown> {
  return JSON.parse(await readFile(path, "utf8"));
}

const { texts } = (await readJson(join(GOLDEN, "inputs.json"))) as { texts: readonly string[] };

describe.each(CASES)("the %s tokenizer", (name) => {
  const folder = join(GOLDEN, name);

  it("gives the ids and texts that transformers gives", async () => {
    const tokenizer = await loadTokenizer(folder);
    const golden = (await readJson(join(folder, "golden.json"))) as Golden;
    const got = texts.map((text, i) => [
      [...tokenizer.encode(text)],
      [...tokenizer.encode(text, { addSpecialTokens: true })],
      tokenizer.decode(golden.texts[i]![0]),
      tokenizer.decode(golden.texts[i]![0], { skipSpecialTokens: true }),
    ]);
    expect(got).toEqual(golden.texts);
    expect(texts.length).toBeGreaterThan(40);
  });

  it("knows its special tokens and the size of its vocabulary", async () => {
    const tokenizer = await loadTokenizer(folder);
    const { special } = (await readJson(join(folder, "golden.json"))) as Golden;
    const got = [tokenizer.bosId, tokenizer.eosId, tokenizer.padId].map((id) => id ?? null);
    expect(got).toEqual([special.bos, special.eos, special.pad]);
    expect(tokenizer.vocabSize).toBe(special.size);
  });

  it("reads half a surrogate pair as U+FFFD", async () => {
    const tokenizer = await loadTokenizer(folder);
    expect(tokenizer.encode("a\ud800b\udc00")).toEqual(tokenizer.encode("a\ufffdb\ufffd"));
  });
});

describe("loadTokenizer", () => {
  const made: string[] = [];
  afterEach(async () => {
    for (const folder of made.splice(0)) await rm(folder, { recursive: true });
  });

  async function folderWith(files: Readonly<Record<string, unknown>>): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), "culprit-tokenizer-"));
    made.push(folder);
    for (const [file, content] of Object.entries(files)) {
      const text = typeof content === "string" ? content : JSON.stringify(content);
      await writeFile(join(folder, file), text);
    }
    return folder;
  }

  async function changed(
    change: (json: TokenizerJson) => unknown,
    config: unknown = {},
  ): Promise<TextTokenizer> {
    const json = (await readJson(join(GOLDEN, "chatml/tokenizer.json"))) as TokenizerJson;
    change(json);
    return loadTokenizer(
      await folderWith({ "tokenizer.json": json, "tokenizer_config.json": config }),
    );
  }

  it("names the missing tokenizer.json and says how to make one", async () => {
    const folder = await folderWith({});
    const error: unknown = await loadTokenizer(folder).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ConfigError);
    expect((error as ConfigError).message).toContain("tokenizer.json");
    expect((error as ConfigError).hint).toContain("save_pretrained");
  });

  it.each([
    ["text that is not JSON", "{"],
    ["a list", "[]"],
    ["no model", {}],
    ["a vocabulary with a negative id", { model: { type: "BPE", vocab: { a: -1 }, merges: [] } }],
    ["an id that no model has", { model: { type: "BPE", vocab: { a: 2 ** 40 }, merges: [] } }],
    ["an id that is text", { model: { type: "BPE", vocab: { a: "0" }, merges: [] } }],
    ["merges that are no pairs", { model: { type: "BPE", vocab: { a: 0 }, merges: [7] } }],
    ["an empty vocabulary", { model: { type: "BPE", vocab: {}, merges: [] } }],
    ["no merges", { model: { type: "BPE", vocab: { a: 0 } } }],
    ["merges of no token", { model: { type: "BPE", vocab: { a: 0 }, merges: [["a", "b"]] } }],
    ["scores that are text", { model: { type: "Unigram", vocab: [["a", "0"]], unk_id: 0 } }],
    ["a word model without its prefix", { model: { type: "WordPiece", vocab: { a: 0 } } }],
    ["a pattern that is none", broken({ pre_tokenizer: splitAt({ Regex: "(" }) })],
    ["a split without a pattern", broken({ pre_tokenizer: splitAt(undefined) })],
    ["a normalizer without its table", broken({ normalizer: { type: "Precompiled" } })],
    [
      "a table of nothing",
      broken({ normalizer: { type: "Precompiled", precompiled_charsmap: "AAAA" } }),
    ],
    [
      "a table cut short",
      broken({ normalizer: { type: "Precompiled", precompiled_charsmap: "AAQAAAAA" } }),
    ],
    [
      "a template with a token of no id",
      broken({
        post_processor: {
          type: "TemplateProcessing",
          single: [{ SpecialToken: { id: "<s>", type_id: 0 } }],
          pair: [],
          special_tokens: {},
        },
      }),
    ],
    [
      "a merge without the prefix of its vocabulary",
      {
        model: {
          type: "BPE",
          vocab: { a: 0, b: 1, ab: 2 },
          merges: [["a", "b"]],
          continuing_subword_prefix: "##",
        },
      },
    ],
    [
      "members that contradict each other",
      broken({
        decoder: {
          type: "Sequence",
          decoders: [
            {
              type: "Metaspace",
              replacement: "▁",
              add_prefix_space: false,
              prepend_scheme: "always",
            },
          ],
        },
      }),
    ],
  ])("refuses %s as broken", async (_what, json) => {
    const folder = await folderWith({ "tokenizer.json": json });
    await expect(loadTokenizer(folder)).rejects.toBeInstanceOf(FormatError);
  });

  it.each<[string, (json: TokenizerJson) => unknown]>([
    ["an unknown pre-tokenizer", (json) => (json.pre_tokenizer = { type: "Sentences" })],
    ["an unknown normalizer", (json) => (json.normalizer = { type: "Titlecase" })],
    [
      "an unknown part in a sequence",
      (json) => (json.pre_tokenizer = { type: "Sequence", pretokenizers: [{ type: "Sentences" }] }),
    ],
    ["another model", (json) => (json.model.type = "Characters")],
    [
      "a decoder that strips at the end, for which the library can end the process",
      (json) =>
        Object.assign(json, { decoder: { type: "Strip", content: " ", start: 0, stop: 1 } }),
    ],
    ["random merges", (json) => (json.model.dropout = 0.1)],
  ])("refuses %s rather than give other ids", async (_what, change) => {
    await expect(changed(change)).rejects.toBeInstanceOf(UnsupportedError);
  });

  it("cuts out a special token that only the configuration declares", async () => {
    const plain = await changed((json) => (json.added_tokens = []));
    const declared = await changed((json) => (json.added_tokens = []), {
      eos_token: "<|im_end|>",
    });
    expect(plain.encode("a<|im_end|>").length).toBeGreaterThan(2);
    expect(declared.encode("a<|im_end|>")).toHaveLength(2);
    expect(declared.eosId).toBe(declared.encode("<|im_end|>")[0]);
  });

  it("has another hash as soon as a merge or a special token differs", async () => {
    const hashes = [
      await changed(() => {}),
      await changed((json) => json.model.merges.pop()),
      await changed(() => {}, { eos_token: "<|im_end|>" }),
    ].map(({ hash }) => hash);
    expect(new Set(hashes).size).toBe(3);
    expect((await changed(() => {})).hash).toBe(hashes[0]);
  });

  it("gives any text back from its ids, byte for byte", async () => {
    const tokenizer = await loadTokenizer(join(GOLDEN, "chatml"));
    const anyText = string({ unit: "binary", maxLength: 60 });
    assert(
      property(anyText, (text) => {
        expect(tokenizer.decode(tokenizer.encode(text))).toBe(text);
      }),
    );
  });

  it("encodes a word of 200,000 letters", async () => {
    const tokenizer = await loadTokenizer(join(GOLDEN, "inst"));
    const word = "the".repeat(66_667);
    expect(tokenizer.decode(tokenizer.encode(word))).toBe(word);
  });

  it("gives the same for many texts at once as for each", async () => {
    const tokenizer = await loadTokenizer(join(GOLDEN, "inst"));
    const many = tokenizer.encodeBatch(texts, { addSpecialTokens: true });
    expect(many).toEqual(texts.map((text) => tokenizer.encode(text, { addSpecialTokens: true })));
    expect(tokenizer.decodeBatch(many)).toEqual(many.map((ids) => tokenizer.decode(ids)));
    expect(tokenizer.encodeBatch([])).toEqual([]);
  });

  it("names the library's reason where a text cannot be encoded", async () => {
    const model = { type: "WordLevel", vocab: { a: 0 }, unk_token: "<unk>" };
    const tokenizer = await loadTokenizer(await folderWith({ "tokenizer.json": { model } }));
    expect([...tokenizer.encode("a")]).toEqual([0]);
    expect(() => tokenizer.encode("b")).toThrow(RuntimeError);
    expect(() => tokenizer.encode("b")).toThrow(/Missing \[UNK\] token/);
    expect([...tokenizer.encode("a")]).toEqual([0]);
  });

  it("refuses to decode an id that is not in the vocabulary", async () => {
    const tokenizer = await loadTokenizer(join(GOLDEN, "chatml"));
    expect(() => tokenizer.decode([1, tokenizer.vocabSize])).toThrow(ConfigError);
    expect(() => tokenizer.decode([-1])).toThrow(ConfigError);
    expect(tokenizer.decode([])).toBe("");
  });
});
