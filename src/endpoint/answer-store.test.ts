import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { suiteFolder } from "../../test/support/suite-folder.ts";
import type { PaidAnswer } from "./answer-lines.ts";
import { openAnswerStore } from "./answer-store.ts";

const folder = suiteFolder();
let files = 0;
const newPath = (content?: string): string => {
  const path = join(folder, `${files++}.jsonl`);
  if (content !== undefined) writeFileSync(path, content);
  return path;
};

const answer = (text: string): PaidAnswer => ({
  text,
  finish: "stop",
  promptTokens: 1,
  completionTokens: 2,
});
const line = (key: string): string => `${JSON.stringify({ key, ...answer(key) })}\n`;

describe("openAnswerStore", () => {
  it.each(['{"mine": "precious"}', "rollout,label", '[{"key":"a"}]', "\0\0\0\0\0\0\0\0\0"])(
    "leaves a file of one line without an end as it is where that is no answer: %j",
    async (content) => {
      const path = newPath(content);
      await expect(openAnswerStore(path)).rejects.toThrow(/line 0: expected a stored answer/);
      expect(readFileSync(path, "utf8")).toBe(content);
    },
  );

  it.each(["", "{", '{"key":"', '{"key":"b","te'])(
    "starts anew where a kill left the beginning of a line alone: %j",
    async (content) => {
      const path = newPath(content);
      await using store = await openAnswerStore(path);
      await store.append("a", answer("x"));
      expect((await store.answers("a")).map(({ text }) => text)).toEqual(["x"]);
      expect(readFileSync(path, "utf8")).toBe(`${JSON.stringify({ key: "a", ...answer("x") })}\n`);
    },
  );

  it("removes whatever stands without an end behind whole lines", async () => {
    for (const rest of ["\0\0\0", '{"key":"b"', "?"]) {
      const path = newPath(line("a") + rest);
      await (await openAnswerStore(path))[Symbol.asyncDispose]();
      expect(readFileSync(path, "utf8")).toBe(line("a"));
    }
  });

  it("names a damaged line between others, and removes nothing", async () => {
    const content = `${line("a")}{"key":"b","te\0\0\n${line("c")}`;
    const path = newPath(content);
    await expect(openAnswerStore(path)).rejects.toThrow(/line 1: expected a stored answer/);
    expect(readFileSync(path, "utf8")).toBe(content);
    expect(existsSync(`${path}.lock`)).toBe(false);
  });

  it("leaves no file where no answer came, and none of another where it is read", async () => {
    const path = newPath();
    await (await openAnswerStore(path))[Symbol.asyncDispose]();
    expect(existsSync(path)).toBe(false);
    const empty = newPath("");
    await (await openAnswerStore(empty, undefined, { isReadOnly: true }))[Symbol.asyncDispose]();
    expect(existsSync(empty)).toBe(true);
  });

  it("is for one process at a time, and takes over from one that was killed", async () => {
    const path = newPath();
    const first = await openAnswerStore(path);
    await expect(openAnswerStore(path)).rejects.toThrow(/is writing it$/);
    await first[Symbol.asyncDispose]();
    const { pid } = spawnSync(process.execPath, ["-e", ""]);
    writeFileSync(`${path}.lock`, JSON.stringify({ pid, host: hostname(), token: "t" }));
    await (await openAnswerStore(path))[Symbol.asyncDispose]();
    expect(existsSync(`${path}.lock`)).toBe(false);
  });

  it("changes nothing where it is only read, beside one that writes too", async () => {
    const path = newPath();
    await using store = await openAnswerStore(path);
    await store.append("a", answer("x"));
    writeFileSync(path, '{"key":"half', { flag: "a" });
    const content = readFileSync(path, "utf8");
    await using reader = await openAnswerStore(path, undefined, { isReadOnly: true });
    expect(reader.totals.answers).toBe(1);
    expect(readFileSync(path, "utf8")).toBe(content);
  });

  it("never takes another's answer where the file was changed under it", async () => {
    const path = newPath(line("a") + line("b"));
    await using store = await openAnswerStore(path);
    writeFileSync(path, line("b") + line("a"));
    await expect(store.answers("a")).rejects.toThrow(/another process has changed it/);
    writeFileSync(path, line("c"), { flag: "a" });
    await expect(store.append("d", answer("x"))).rejects.toThrow(/another process has changed it/);
  });
});
