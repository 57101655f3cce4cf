import { appendFile, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { suiteFolder } from "../../test/support/suite-folder.ts";
import { openDecisionLog } from "./decision-log.ts";
import { decisionLine, findDecisions, headLine, readDecisions } from "./decisions.ts";

const folder = suiteFolder();
let made = 0;
const newPath = (): string => join(folder, `decisions-${++made}.jsonl`);

const keep = { id: "a", decision: "keep", note: "" } as const;
const drop = { id: "b", decision: "drop", note: "says “yes” to\nanything" } as const;

describe("decisions", () => {
  it("are read as they were written, the last of a pair, in the order in which pairs came", async () => {
    const path = newPath();
    {
      await using log = await openDecisionLog(path, "hash");
      expect(await log.set(keep)).toEqual({ id: "a", decision: null, note: "" });
      await log.set(drop);
      expect(await log.set({ ...keep, decision: "swap" })).toEqual(keep);
      await log.set({ id: "c", decision: "unsure", note: "" });
      await log.set({ id: "c", decision: null, note: "" });
    }
    const found = await readDecisions(path);
    expect([...found.decisions.values()]).toEqual([{ ...keep, decision: "swap" }, drop]);
    expect(found).toMatchObject({ pairs: "hash", torn: 0 });
    expect((await readFile(path, "utf8")).split("\n")).toHaveLength(7);
    await using again = await openDecisionLog(path, "hash");
    expect([...again.decisions.keys()]).toEqual(["a", "b"]);
  });

  it("name a line that has a key twice", async () => {
    const path = newPath();
    const line = '{"id":"x","decision":"keep","decision":"drop","note":"","at":"2026"}\n';
    await writeFile(path, headLine("hash") + decisionLine(keep) + line);
    await expect(readDecisions(path)).rejects.toThrow(
      `${path}, line 3: expected each key of an object once, got "decision" twice`,
    );
  });

  it.each(["{", '{"id":"x","decision":"keep","note":"","at":"2026', "\u0000\u0000\u0000"])(
    "survive a crash in the middle of a line: %j",
    async (rest) => {
      const path = newPath();
      await writeFile(path, headLine("hash") + decisionLine(keep) + rest);
      const torn = Buffer.byteLength(rest);
      expect(await readDecisions(path)).toMatchObject({ torn });
      await using log = await openDecisionLog(path, "hash");
      expect(log.torn).toBe(torn);
      expect((await readFile(path, "utf8")).endsWith(rest)).toBe(true); // nothing is written until something is decided
      await log.set(drop);
      expect(log.torn).toBe(0);
      const found = await readDecisions(path);
      expect(found.torn).toBe(0);
      expect([...found.decisions.values()]).toEqual([keep, drop]);
    },
  );

  it("begin anew where a crash cut the first line, and never over another file", async () => {
    const path = newPath();
    await writeFile(path, headLine("hash").slice(0, 40));
    expect(await findDecisions(path)).toBeUndefined();
    await using log = await openDecisionLog(path, "hash");
    await log.set(keep);
    expect([...(await readDecisions(path)).decisions.keys()]).toEqual(["a"]);
    for (const text of [
      "precious",
      '{"id":1}\n',
      '{"format":"culprit-decisions","version":2,"pairs":""}\n',
    ]) {
      const other = newPath();
      await writeFile(other, text);
      await expect(openDecisionLog(other, "hash")).rejects.toThrow(
        /expected the decisions of a review/,
      );
      expect(await readFile(other, "utf8")).toBe(text);
    }
  });

  it("name the line that is none, and files about other pairs", async () => {
    const path = newPath();
    await writeFile(
      path,
      `${headLine("hash")}${decisionLine(keep)}{"id":"x","decision":"maybe"}\n`,
    );
    await expect(readDecisions(path)).rejects.toThrow(`${path}, line 3: expected a decision`);
    const other = newPath();
    await writeFile(other, headLine("other"));
    await expect(openDecisionLog(other, "hash")).rejects.toThrow(/got those of others/);
  });

  it("name a file that is not there, as other readers do", async () => {
    const path = newPath();
    expect(await findDecisions(path)).toBeUndefined();
    await expect(readDecisions(path)).rejects.toThrow(`${path}: no such file`);
    await expect(readDecisions(folder)).rejects.toThrow(/expected a file, got a folder/);
  });

  it("are written by one process at a time, and not behind what another one wrote", async () => {
    const path = newPath();
    await using first = await openDecisionLog(path, "hash");
    await using second = await openDecisionLog(path, "hash");
    await first.set(keep);
    await expect(second.set(drop)).rejects.toThrow(/is writing it/);
    await appendFile(path, "more\n");
    await expect(first.set(drop)).rejects.toThrow(/another process has changed it/);
    expect(await readFile(path, "utf8")).not.toContain('"b"');
  });

  it("that come at once are all written, whole", async () => {
    const path = newPath();
    await using log = await openDecisionLog(path, "hash");
    const ids = Array.from({ length: 50 }, (_, i) => `pair-${i}`);
    await Promise.all(ids.map((id) => log.set({ id, decision: "drop", note: "n".repeat(1000) })));
    expect([...(await readDecisions(path)).decisions.keys()]).toEqual(ids);
  });
});
