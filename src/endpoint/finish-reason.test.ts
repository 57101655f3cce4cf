import { expect, it } from "vitest";

import { readFinishReason } from "./finish-reason.ts";

it.each([
  ["length", "length"],
  ["max_tokens", "length"],
  ["MAX_TOKENS", "length"],
  ["model_length", "length"],
  ["stop", "stop"],
  ["STOP", "stop"],
  ["eos_token", "stop"],
  ["tool_calls", "stop"],
  ["content_filter", "filtered"],
  ["SAFETY", "filtered"],
  ["abort", "broken"],
  ["error", "broken"],
  ["repetition", "unknown"],
  ["constructor", "unknown"],
  ["", "unknown"],
  [null, "unknown"],
  [undefined, "unknown"],
])("takes the finish reason %s for %s", (reason, meaning) => {
  expect(readFinishReason(reason)).toBe(meaning);
});
