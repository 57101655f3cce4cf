import { mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { temporaryFolder } from "../../test/support/data-files.ts";
import { ConfigError } from "../util/errors.ts";
import { expandPatterns } from "./expand-patterns.ts";

async function folderWith(...names: string[]): Promise<string> {
  const folder = await temporaryFolder();
  for (const name of names) {
    await mkdir(join(folder, name, ".."), { recursive: true });
    await writeFile(join(folder, name), "");
  }
  return folder;
}

describe("expandPatterns", () => {
  it("expands globs in sorted order and keeps the order of the patterns", async () => {
    const folder = await folderWith(
      "b.jsonl",
      "a.jsonl",
      "c.csv",
      ".hidden.jsonl",
      "sub/d.jsonl",
      "sub/x/e.jsonl",
    );
    const expand = async (...patterns: string[]): Promise<string[]> =>
      (await expandPatterns(patterns.map((each) => `${folder}/${each}`))).map((path) =>
        path.slice(folder.length + 1),
      );
    expect(await expand("c.csv", "*.jsonl")).toEqual(["c.csv", "a.jsonl", "b.jsonl"]);
    expect(await expand("[ab].jsonl")).toEqual(["a.jsonl", "b.jsonl"]);
    expect(await expand("{c.csv,b.*}")).toEqual(["b.jsonl", "c.csv"]);
    expect(await expand("s?b/*.jsonl")).toEqual(["sub/d.jsonl"]);
    expect(await expand("**/*.jsonl")).toEqual([
      "a.jsonl",
      "b.jsonl",
      "sub/d.jsonl",
      "sub/x/e.jsonl",
    ]);
    expect(await expand(".h*")).toEqual([".hidden.jsonl"]);
    expect(await expand("{sub/x,.}/e.jsonl")).toEqual(["sub/x/e.jsonl"]);
  });

  it("takes a file that exists by its very name, and each file once", async () => {
    const folder = await folderWith("[1]*.jsonl", "1x.jsonl");
    expect(
      await expandPatterns([`${folder}/[1]*.jsonl`, `${folder}/*x.jsonl`, `${folder}/1x.jsonl`]),
    ).toEqual([`${folder}/[1]*.jsonl`, `${folder}/1x.jsonl`]);
  });

  it("survives links in circles", async () => {
    const folder = await folderWith("a/x.csv");
    await symlink(folder, join(folder, "a", "loop"));
    await symlink(join(folder, "nowhere"), join(folder, "a", "dead"));
    expect(await expandPatterns([`${folder}/**/*.csv`])).toEqual([`${folder}/a/x.csv`]);
  });

  it("names a pattern without files, a missing file and a folder", async () => {
    const folder = await folderWith("a.csv");
    await expect(expandPatterns([`${folder}/*.json`])).rejects.toThrow(
      /\*\.json: the pattern matches no file/,
    );
    await expect(expandPatterns([`${folder}/gone/*.json`])).rejects.toThrow(/matches no file/);
    await expect(expandPatterns([`${folder}/no.csv`])).rejects.toThrow(/no\.csv: no such file/);
    await expect(expandPatterns([folder])).rejects.toThrow(/got a folder/);
    const saved = await folderWith("data-00000-of-00001.arrow");
    await expect(expandPatterns([saved])).rejects.toMatchObject({
      hint: expect.stringContaining("load_from_disk(FOLDER).to_parquet") as string,
    });
    await expect(expandPatterns([])).rejects.toBeInstanceOf(ConfigError);
  });

  it("asks the given resolver for hf:// data sets and refuses other addresses", async () => {
    const uri = "hf://datasets/o/n/x.parquet";
    const seen: string[] = [];
    const resolver = async (each: string): Promise<string[]> => {
      seen.push(each);
      return ["/cache/x.parquet"];
    };
    expect(await expandPatterns([uri], resolver)).toEqual(["/cache/x.parquet"]);
    expect(seen).toEqual([uri]);
    await expect(expandPatterns([uri])).rejects.toThrow(/expected a path or hf:/);
    await expect(expandPatterns(["https://host/x.csv"], resolver)).rejects.toThrow(ConfigError);
    await expect(expandPatterns([uri], async () => [])).rejects.toThrow(/matches no file/);
  });
});
