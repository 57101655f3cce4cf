import { expect, it } from "vitest";

import { parseExperiment } from "./read-experiment.ts";
import { stagesAtOnce } from "./stage-threads.ts";

const GB = 1e9;

/** The engine of an experiment with these settings. */
function engineOf(settings: object) {
  const text = JSON.stringify({
    name: "threads",
    checkpoints: { before: "sft" },
    pairs: { files: ["pairs.jsonl"] },
    behavior: { layers: [1] },
    responses: "responses.jsonl",
    engine: settings,
  });
  return parseExperiment(text, "threads.yaml").engine;
}

const SMALL = { dim: 64, layerCount: 4, blockParameters: 50_000, headParameters: 40_000 };
const LARGE = { ...SMALL, layerCount: 30, blockParameters: 3_500_000 };

it("runs one stage a core where the checkpoint is small, and one where it is not", () => {
  const engine = engineOf({});
  expect(stagesAtOnce({ engine, size: SMALL, cores: 4, free: 16 * GB })).toBe(4);
  expect(stagesAtOnce({ engine, size: LARGE, cores: 4, free: 16 * GB })).toBe(1);
  expect(stagesAtOnce({ engine, size: SMALL, cores: 1, free: 16 * GB })).toBe(1);
});

it("heeds what the user says of stages and threads", () => {
  const few = engineOf({ stages: 2 });
  expect(stagesAtOnce({ engine: few, size: SMALL, cores: 8, free: 16 * GB })).toBe(2);
  expect(stagesAtOnce({ engine: few, size: LARGE, cores: 8, free: 16 * GB })).toBe(2);
  const wide = engineOf({ threads: 4 });
  expect(stagesAtOnce({ engine: wide, size: SMALL, cores: 8, free: 16 * GB })).toBe(2);
  expect(stagesAtOnce({ engine: wide, size: SMALL, cores: 2, free: 16 * GB })).toBe(1);
});

it("runs no more than fit into memory, one at least", () => {
  const engine = engineOf({ stages: 8 });
  expect(stagesAtOnce({ engine, size: LARGE, cores: 8, free: 7 * GB })).toBe(2);
  expect(stagesAtOnce({ engine, size: LARGE, cores: 8, free: 0 })).toBe(1);
});

it("runs one where the arithmetic is not this machine's processor's", () => {
  const engine = engineOf({ device: "cuda" });
  expect(stagesAtOnce({ engine, size: SMALL, cores: 8, free: 16 * GB })).toBe(1);
});
