import { expect, it } from "vitest";

import { type GenerateOptions, generateSettings } from "./generate-options.ts";

it.each<[GenerateOptions, RegExp]>([
  [{ samples: 0 }, /samples: .* at least 1, got 0/],
  [{ samples: 1.5 }, /samples/],
  [{ maxTokens: 0 }, /maxTokens/],
  [{ temperature: -1 }, /temperature: .* got -1/],
  [{ temperature: Number.NaN }, /temperature/],
  [{ topP: 0 }, /topP: .* got 0/],
  [{ topP: 1.01 }, /topP/],
  [{ topK: 0 }, /topK/],
  [{ seed: -1 }, /seed/],
  [{ batch: 0 }, /batch/],
])("%j is refused by name", (options, message) => {
  expect(() => generateSettings(options)).toThrow(message);
});
