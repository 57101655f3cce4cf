import { expect, test } from "vitest";

import { expectFailure } from "../../test/support/errors.ts";
import { ConfigError } from "../util/errors.ts";
import { expectSameSettings } from "./same-settings.ts";

test("what differs has the names of people, not of fields", async () => {
  const found = { promptsHash: "a", behaviorHash: "b", sampling: { seed: 1 } };
  const ours = { promptsHash: "c", behaviorHash: "b", sampling: { seed: 2 } };
  const error = await expectFailure(() => expectSameSettings("out", found, ours), ConfigError);
  expect(error.message).toBe("out: was made with other settings (prompts, seed)");
});
