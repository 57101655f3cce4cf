import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { temporaryFolder } from "../../test/support/data-files.ts";
import { newGenerationCounter } from "../engine/generation/generate-options.ts";
import { type FinishedStage, runStages } from "./run-stages.ts";
import type { Stage } from "./stage.ts";

/** A chain audit → embed → rank whose stages write down what they read, and count how often they ran. */
function chain(settings: { readonly audit?: unknown; readonly embed?: unknown } = {}): {
  stages: Stage[];
  ran: string[];
} {
  const ran: string[] = [];
  const write = async (directory: string, text: string): Promise<void> =>
    writeFile(join(directory, "result.txt"), text);
  const stages: Stage[] = [
    {
      kind: "audit",
      name: "",
      version: 1,
      settings: settings.audit ?? {},
      inputs: { pairs: { content: "pairs-a" } },
      run: async ({ directory }) => {
        ran.push("audit");
        await write(directory, "the same whatever the settings");
      },
    },
    {
      kind: "embed",
      name: "all",
      version: 1,
      settings: settings.embed ?? {},
      inputs: { audit: { stage: "audit" } },
      asides: ["times"],
      run: async ({ directory, input, cost }) => {
        ran.push("embed");
        cost.add(10, 3);
        await writeFile(join(directory, "times.json"), `${process.hrtime.bigint()}`);
        await write(directory, `${await readFile(join(input("audit"), "result.txt"), "utf8")}!`);
      },
    },
    {
      kind: "rank",
      name: "",
      version: 1,
      settings: {},
      inputs: { embed: { stage: "embed-all" } },
      run: async ({ directory, input }) => {
        ran.push("rank");
        await write(directory, `${await readFile(join(input("embed"), "result.txt"), "utf8")}?`);
      },
    },
  ];
  return { stages, ran };
}

async function runChain(
  out: string,
  settings: Parameters<typeof chain>[0] = {},
  force: readonly string[] = [],
): Promise<{ ran: string[]; finished: readonly FinishedStage[] }> {
  const { stages, ran } = chain(settings);
  const finished = await runStages(stages, { out, force: new Set(force) });
  return { ran, finished };
}

describe("runStages", () => {
  it("runs every stage once, and none again", async () => {
    const out = await temporaryFolder();
    const first = await runChain(out);
    expect(first.ran).toEqual(["audit", "embed", "rank"]);
    const second = await runChain(out);
    expect(second.ran).toEqual([]);
    expect(second.finished.map(({ isCached }) => isCached)).toEqual([true, true, true]);
    const [, embed] = second.finished;
    expect(embed!.directory).toMatch(/^stages\/embed-all-[0-9a-f]{12}$/);
    expect(embed!.record.cost).toMatchObject({ tokens: 10, flops: 30 });
  });

  it("runs what a changed setting reaches, and stops where the results come out the same", async () => {
    const out = await temporaryFolder();
    await runChain(out);
    expect((await runChain(out, { audit: { columns: 2 } })).ran).toEqual(["audit"]);
    // times.json differs, but does not count.
    expect((await runChain(out, { embed: { layers: 2 } })).ran).toEqual(["embed"]);
    expect((await runChain(out)).ran).toEqual([]);
    expect(await readdir(join(out, "stages"))).toHaveLength(5);
  });

  it("runs a stage again that is forced, damaged, or of an older version", async () => {
    const out = await temporaryFolder();
    const { finished } = await runChain(out);
    expect((await runChain(out, {}, ["embed-all"])).ran).toEqual(["embed"]);
    await rm(join(out, finished[2]!.directory, "result.txt"));
    expect((await runChain(out)).ran).toEqual(["rank"]);
    const { stages, ran } = chain();
    await runStages([{ ...stages[0]!, version: 2 }, ...stages.slice(1)], { out });
    expect(ran).toEqual(["audit"]);
  });

  it("empties the folder of a stage that cannot resume, keeps that of one that can, and adds up the costs of both attempts", async () => {
    const out = await temporaryFolder();
    for (const canResume of [false, true]) {
      const seen: string[][] = [];
      const stage = (fails: boolean): Stage => ({
        kind: "audit",
        name: `${canResume}`,
        version: 1,
        settings: {},
        inputs: {},
        canResume,
        run: async ({ directory, cost }) => {
          seen.push((await readdir(directory)).filter((name) => name !== "working.json"));
          cost.add(5, 1);
          await writeFile(join(directory, "half"), "");
          if (fails) throw new Error("killed");
        },
      });
      await expect(runStages([stage(true)], { out })).rejects.toThrow("killed");
      const [done] = await runStages([stage(false)], { out });
      expect(seen).toEqual([[], canResume ? ["half"] : []]);
      expect(done!.record.files.map(({ path }) => path)).toEqual(["half"]);
      expect(done!.record.cost.tokens).toBe(10);
    }
  });

  it("writes down why a stage failed, and nothing where it was stopped by hand", async () => {
    const abort = new AbortController();
    const stage = (fail: () => never): Stage => ({
      ...chain().stages[0]!,
      run: async () => fail(),
    });
    const failureOf = async (fail: () => never): Promise<unknown> => {
      const out = await temporaryFolder();
      const { signal } = abort;
      await expect(runStages([stage(fail)], { out, signal })).rejects.toThrow(/full|abort/);
      const [working] = (await readdir(out, { recursive: true })).filter((name) =>
        name.endsWith("working.json"),
      );
      return (JSON.parse(await readFile(join(out, working!), "utf8")) as { failure?: unknown })
        .failure;
    };
    const full = failureOf(() => {
      throw new Error("the disk is full\nand more");
    });
    expect(await full).toBe("the disk is full");
    const stopped = failureOf(() => {
      abort.abort();
      throw new Error("aborted");
    });
    expect(await stopped).toBeUndefined();
  });

  it("counts what an attempt sampled that ended on the way", async () => {
    const out = await temporaryFolder();
    const stage = (sampledTokens: number, fails: boolean): Stage => ({
      kind: "audit",
      name: "",
      version: 1,
      settings: {},
      inputs: {},
      canResume: true,
      run: async ({ cost }) => {
        const counter = newGenerationCounter();
        cost.watchSampling(counter);
        counter.promptTokens += 2;
        counter.sampledTokens += sampledTokens;
        counter.flops += 100;
        if (fails) throw new Error("killed");
      },
    });
    await expect(runStages([stage(7, true)], { out })).rejects.toThrow("killed");
    const [done] = await runStages([stage(3, false)], { out });
    expect(done!.record.cost).toMatchObject({ tokens: 14, flops: 200 });
  });

  it("does not take a folder without a record, or with half of one, for a finished stage", async () => {
    const out = await temporaryFolder();
    const { finished } = await runChain(out);
    const folder = join(out, finished[0]!.directory);
    await rm(folder, { recursive: true });
    await mkdir(folder);
    await writeFile(join(folder, "result.txt"), "something else");
    await writeFile(join(folder, "stage.json.partial"), "{");
    expect((await runChain(out)).ran).toEqual(["audit"]);
  });

  describe("side by side", () => {
    /** A stage that says when it is at work and ends when it is let. */
    function held(
      name: string,
      more: Partial<Stage> = {},
    ): { stage: Stage; begun: Promise<void>; end: (error?: Error) => void } {
      let begin!: () => void;
      let end!: (error?: Error) => void;
      const begun = new Promise<void>((resolve) => (begin = resolve));
      const ended = new Promise<void>((resolve, reject) => {
        end = (error) => (error === undefined ? resolve() : reject(error));
      });
      const stage: Stage = {
        kind: "embed",
        name,
        version: 1,
        settings: {},
        inputs: {},
        run: async ({ signal }) => {
          begin();
          const stopped = new Promise<never>((_, reject) => {
            signal!.addEventListener("abort", () => reject(signal!.reason as Error));
          });
          await Promise.race([ended, stopped]);
        },
        ...more,
      };
      return { stage, begun, end };
    }

    it("runs as many as it may, the first first, and gives them back in their order", async () => {
      const out = await temporaryFolder();
      const [a, b, c] = [held("a"), held("b"), held("c")];
      const started: string[] = [];
      const done = runStages(
        [a, b, c].map(({ stage }) => stage),
        { out, atOnce: 2, onStart: ({ name }) => void started.push(name) },
      );
      await Promise.all([a.begun, b.begun]);
      expect(started).toEqual(["a", "b"]);
      b.end();
      await c.begun;
      c.end();
      a.end();
      expect((await done).map(({ id }) => id)).toEqual(["embed-a", "embed-b", "embed-c"]);
    });

    it("waits for inputs and for what a stage is to come after", async () => {
      const out = await temporaryFolder();
      const a = held("a");
      const ended: string[] = [];
      const next = (name: string, more: Partial<Stage>): Stage => ({
        ...held(name, more).stage,
        run: async () => {
          expect(ended).toEqual(["a"]);
        },
      });
      const done = runStages(
        [
          a.stage,
          next("b", { inputs: { a: { stage: "embed-a" } } }),
          next("c", { after: ["embed-a"] }),
        ],
        { out, atOnce: 3 },
      );
      await a.begun;
      ended.push("a");
      a.end();
      expect(await done).toHaveLength(3);
    });

    it("asks endpoints beside the others, one stage at a time", async () => {
      const out = await temporaryFolder();
      const asks = { estimate: () => Promise.reject(new Error("not asked")) };
      const [a, b, c] = [held("a"), held("b", asks), held("c", asks)];
      const started: string[] = [];
      const done = runStages(
        [a, b, c].map(({ stage }) => stage),
        { out, atOnce: 2, onStart: ({ name }) => void started.push(name) },
      );
      await Promise.all([a.begun, b.begun]);
      expect(started).toEqual(["a", "b"]);
      b.end();
      await c.begun;
      a.end();
      c.end();
      expect(await done).toHaveLength(3);
    });

    it("stops the others where one fails, says its error, and starts none any more", async () => {
      const out = await temporaryFolder();
      const [a, b, c] = [held("a"), held("b"), held("c")];
      const done = runStages(
        [a, b, c].map(({ stage }) => stage),
        { out, atOnce: 2 },
      );
      await Promise.all([a.begun, b.begun]);
      b.end(new Error("the disk is full"));
      await expect(done).rejects.toThrow("the disk is full");
      const failures: unknown[] = [];
      for (const name of await readdir(join(out, "stages"))) {
        const text = await readFile(join(out, "stages", name, "working.json"), "utf8");
        failures.push([name.slice(0, 7), (JSON.parse(text) as { failure?: string }).failure]);
      }
      expect(failures).toEqual([
        ["embed-a", undefined],
        ["embed-b", "the disk is full"],
      ]);
    });
  });
});
