import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";

import { describe, expect, test } from "vitest";

import { ConfigError } from "../util/errors.ts";
import { readHubSettings, type HubEnvironment } from "./hub-settings.ts";

const folderOf = async (env: HubEnvironment): Promise<string> =>
  (await readHubSettings(env)).cacheFolder;
const endpointOf = async (HF_ENDPOINT?: string): Promise<string> =>
  (await readHubSettings({ HF_HOME: "/h", HF_ENDPOINT })).endpoint;
const isOffline = async (HF_HUB_OFFLINE: string): Promise<boolean> =>
  (await readHubSettings({ HF_HOME: "/h", HF_HUB_OFFLINE })).isOffline;

describe("readHubSettings", () => {
  test("keeps the cache where Python's library keeps it", async () => {
    expect(await folderOf({ HF_HOME: "/h" })).toBe("/h/hub");
    expect(await folderOf({ HF_HOME: "/h", HF_HUB_CACHE: "/c" })).toBe("/c");
    expect(await folderOf({ XDG_CACHE_HOME: "/x" })).toBe("/x/huggingface/hub");
    expect(await folderOf({ HF_HOME: "~/h" })).toBe(join(homedir(), "h", "hub"));
    expect(await folderOf({ HF_HOME: "", HF_HUB_CACHE: " " })).toBe(
      join(homedir(), ".cache", "huggingface", "hub"),
    );
  });

  test("takes the token from HF_TOKEN before the file in HF_HOME", async () => {
    const home = await mkdtemp(join(tmpdir(), "culprit-hub-"));
    expect((await readHubSettings({ HF_HOME: home })).token).toBeUndefined();
    await writeFile(join(home, "token"), "hf_file\n");
    expect((await readHubSettings({ HF_HOME: home })).token).toBe("hf_file");
    expect((await readHubSettings({ HF_HOME: home, HF_TOKEN: "hf_env" })).token).toBe("hf_env");
    await writeFile(join(home, "other"), "hf_other");
    const env = { HF_HOME: home, HF_TOKEN_PATH: join(home, "other") };
    expect((await readHubSettings(env)).token).toBe("hf_other");
    await rm(home, { recursive: true });
  });

  test("refuses a token that cannot stand in a header", async () => {
    await expect(readHubSettings({ HF_TOKEN: "hf_a\r\nhost: x" })).rejects.toThrow(ConfigError);
  });

  test("reads the endpoint without its trailing slash and keeps a path in it", async () => {
    expect(await endpointOf()).toBe("https://huggingface.co");
    expect(await endpointOf("http://127.0.0.1:8/")).toBe("http://127.0.0.1:8");
    expect(await endpointOf("https://mirror.example/api/hf/")).toBe(
      "https://mirror.example/api/hf",
    );
  });

  test.each(["huggingface.co", "ftp://x", "file:///x", "https://user:pass@x", "https://x?y=1"])(
    "refuses the endpoint %s",
    async (HF_ENDPOINT) => {
      await expect(readHubSettings({ HF_HOME: "/h", HF_ENDPOINT })).rejects.toThrow(ConfigError);
    },
  );

  test("reads HF_HUB_OFFLINE as Python's library does", async () => {
    for (const word of ["1", "true", "YES", "on"]) expect(await isOffline(word)).toBe(true);
    for (const word of ["", "0", "false", "no"]) expect(await isOffline(word)).toBe(false);
  });
});
