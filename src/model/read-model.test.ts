import { readFileSync } from "node:fs";
import { mkdir, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

import { describe, expect, it } from "vitest";

import { temporaryFile, temporaryFolder } from "../../test/support/data-files.ts";
import { expectFailure } from "../../test/support/errors.ts";
import { ConfigError, FormatError, UnsupportedError } from "../util/errors.ts";
import { readModel } from "./read-model.ts";

const GOLDEN = fileURLToPath(new URL("../../test/golden/checkpoints/", import.meta.url));

/** Reads a folder whose config.json has this text, or this value as JSON. */
async function read(config: unknown) {
  const text = typeof config === "string" ? config : JSON.stringify(config);
  const path = await temporaryFile("config.json", text);
  return readModel(path.slice(0, -"/config.json".length));
}

const { cases } = JSON.parse(readFileSync(`${GOLDEN}cases.json`, "utf8")) as {
  cases: { name: string; family: string; layers: number }[];
};

describe("readModel", () => {
  it.each(cases)("reads $name as transformers wrote it", async ({ name, family, layers }) => {
    const model = await readModel(GOLDEN + name);
    expect(model.family.modelTypes).toContain(family);
    expect(model.config).toMatchObject({ layerCount: layers, dim: 32, vocabSize: 64 });
    expect(model.config.attention).toHaveLength(layers);
  });

  it("names a folder that is not there, and one without a config", async () => {
    const folder = await temporaryFolder();
    const empty = await expectFailure(readModel(folder), ConfigError);
    expect(empty.message).toBe(`${folder}/config.json: is not there`);
    expect(empty.hint).toMatch(/Hugging Face checkpoint folder/);
    const missing = await expectFailure(readModel(`${folder}/missing`), ConfigError);
    expect(missing.message).toBe(`${folder}/missing: no such folder`);
    expect(missing.hint).toMatch(/hf:/);
    await mkdir(`${folder}/config.json`);
    await expectFailure(readModel(folder), ConfigError);
  });

  it.each(["", "{", "<html>", "\u0000\u0001"])("refuses %j as no JSON", async (text) => {
    expect((await expectFailure(read(text), FormatError)).message).toMatch(
      /config\.json: not valid JSON/,
    );
  });

  it.each([null, 7, [], {}, { model_type: 3 }])("finds no family in %j", async (config) => {
    expect((await expectFailure(read(config), ConfigError)).message).toMatch(
      /expected a "model_type"/,
    );
  });

  it("expects as many rope factors as frequencies", async () => {
    const text = await readFile(`${GOLDEN}phi3-long/config.json`, "utf8");
    const config = { ...(JSON.parse(text) as object), partial_rotary_factor: 1 };
    const error = await expectFailure(read(config), ConfigError);
    expect(error.message).toMatch(/longrope: expected 4 short and 4 long factors.*got 2/);
  });

  it("names an unknown family and the known ones", async () => {
    const error = await expectFailure(read({ model_type: "gpt2" }), UnsupportedError);
    expect(error.message).toMatch(
      /"gpt2" is not supported, expected (?:\w+, )*llama, mistral, ministral, /,
    );
  });
});
