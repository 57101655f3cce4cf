import { expect, test } from "vitest";

import { readHumanLabels } from "../src/judge/human-labels.ts";
import { ConfigError } from "../src/util/errors.ts";
import { inSetting } from "../src/util/in-setting.ts";
import { expectFailure } from "./support/errors.ts";

test("a path in an experiment counts from the experiment's folder, and the hint says so", async () => {
  const work = inSetting("judge.labels.before", () => readHumanLabels("/nowhere/labels.jsonl"));
  const error = await expectFailure(work, ConfigError);
  expect(error.message).toBe("judge.labels.before: /nowhere/labels.jsonl: no such file");
  expect(error.hint).toMatch(/counts from the folder of the experiment's file/);
});
