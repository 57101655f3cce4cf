import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";

import { afterEach, beforeEach, describe, expect, test } from "vitest";

import {
  FAKE_COMMIT,
  fakeHubEnvironment,
  startFakeHub,
  type FakeHub,
} from "../../test/fake-hub.ts";
import { ConfigError, RuntimeError } from "../util/errors.ts";
import { resolveDatasetFiles } from "./resolve-dataset-files.ts";

const URI = "hf://datasets/owner/pairs";
let hub: FakeHub;
let home: string;

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "culprit-dataset-"));
  hub = await startFakeHub([
    {
      kind: "dataset",
      repo: "owner/pairs",
      files: {
        "README.md": "text",
        "dataset_infos.json": "{}",
        ".hidden/x.json": "{}",
        "data/train-10.parquet": "p10",
        "data/train-02.parquet": "p02",
        "data/test.parquet": "pt",
        "extra/more.jsonl.gz": "gz",
        "extra/ü & #1%.csv": "a,b",
        "top.json": "[]",
        "data/odd[1].jsonl": "{}",
      },
    },
  ]);
});

afterEach(async () => {
  await hub.stop();
  await rm(home, { recursive: true, force: true });
});

async function resolved(uri: string, env: Record<string, string> = {}): Promise<string[]> {
  const paths = await resolveDatasetFiles(uri, {
    env: { ...fakeHubEnvironment(hub, home), ...env },
    retry: { firstDelayMs: 1, tries: 2 },
  });
  const folder = join(home, "hub", "datasets--owner--pairs", "snapshots", FAKE_COMMIT);
  return paths.map((path) => relative(folder, path));
}

describe("resolveDatasetFiles", () => {
  test.each([
    ["/data/test.parquet", ["data/test.parquet"]],
    ["/README.md", ["README.md"]],
    ["/data/*.parquet", ["data/test.parquet", "data/train-02.parquet", "data/train-10.parquet"]],
    ["@main/data/train-{02,10}.parquet", ["data/train-02.parquet", "data/train-10.parquet"]],
    ["/**/*.csv", ["extra/ü & #1%.csv"]],
    ["/extra", ["extra/more.jsonl.gz", "extra/ü & #1%.csv"]],
    ["/data/odd[1].jsonl", ["data/odd[1].jsonl"]],
    [
      "",
      [
        "data/odd[1].jsonl",
        "data/test.parquet",
        "data/train-02.parquet",
        "data/train-10.parquet",
        "extra/more.jsonl.gz",
        "extra/ü & #1%.csv",
        "top.json",
      ],
    ],
  ])("finds what %j names, in order, and downloads nothing else", async (path, names) => {
    expect(await resolved(`${URI}${path}`)).toEqual(names);
    expect(hub.requests.filter((each) => each.url.includes("/resolve/"))).toHaveLength(
      names.length,
    );
  });

  test("gives the files' own bytes", async () => {
    const options = { env: fakeHubEnvironment(hub, home) };
    const [path] = await resolveDatasetFiles(`${URI}/extra/*.csv`, options);
    expect(readFileSync(path!, "utf8")).toBe("a,b");
  });

  test.each(["/nothing.parquet", "/data/*.csv", "/no-such-folder"])(
    "names some files where %s is none",
    async (path) => {
      const call = resolved(`${URI}${path}`);
      await expect(call).rejects.toThrow(ConfigError);
      await expect(call).rejects.toMatchObject({
        hint: expect.stringContaining("data/test.parquet"),
      });
    },
  );

  test("refuses a model", async () => {
    await expect(resolved("hf://owner/pairs/x.parquet")).rejects.toThrow(ConfigError);
  });

  test("answers offline from the cached listing, and never with only some of a glob's files", async () => {
    await resolved(`${URI}/data/train-02.parquet`);
    const offline = { HF_HUB_OFFLINE: "1" };
    hub.requests.length = 0;
    expect(await resolved(`${URI}/data/train-02.parquet`, offline)).toHaveLength(1);
    await expect(resolved(`${URI}/data/*.parquet`, offline)).rejects.toThrow(
      "lacks data/test.parquet",
    );
    const trees = join(home, "hub", "datasets--owner--pairs", "trees");
    await rm(trees, { recursive: true });
    expect(await resolved(`${URI}/data/train-02.parquet`, offline)).toHaveLength(1);
    await expect(resolved(`${URI}/data/*.parquet`, offline)).rejects.toThrow(RuntimeError);
    expect(hub.requests).toEqual([]);
  });
});
