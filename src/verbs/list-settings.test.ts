import { expect, it } from "vitest";

import { VERBS } from "./index.ts";
import { jsonSchemaOf } from "./json-schema.ts";
import { describeSetting, listSettings } from "./list-settings.ts";

it("says what stands where a setting is left out, never that something is not", () => {
  const texts = VERBS.flatMap((verb) =>
    [verb.settings, ...Object.values(verb.inputs).flatMap(({ settings }) => settings ?? [])]
      .flatMap((schema) => listSettings(jsonSchemaOf(schema)))
      .map((each) => `${verb.name}.${each.path.join(".")}: ${describeSetting(each)}`),
  );
  expect(texts).toContainEqual(
    'judge.meaning: With labels: what "shows" means, in words that follow "the response". Default: none, where no labels judge.',
  );
  expect(texts.filter((text) => /Default: not\b/.test(text))).toEqual([]);
});
