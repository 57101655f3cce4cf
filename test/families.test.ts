/** Every family is held to transformers, in each of the ways in which families are. */
import { readFileSync } from "node:fs";

import { expect, it } from "vitest";

import { FAMILIES } from "../src/model/families/index.ts";

const read = (path: string): unknown =>
  JSON.parse(readFileSync(new URL(`golden/${path}`, import.meta.url), "utf8"));
const checkpoints = read("checkpoints/cases.json") as { cases: { name: string; family: string }[] };
const gradients = read("gradients/cases.json") as { cases: string[] };
const continuations = read("generate/generate.json") as { cases: { name: string }[] };

it.each(FAMILIES.flatMap(({ modelTypes }) => modelTypes))(
  "%s has golden hidden states, logits, continuations and gradients",
  (modelType) => {
    const own = checkpoints.cases.filter(({ family }) => family === modelType);
    expect(own, "a case in test/golden/checkpoints/make_checkpoints.py").not.toEqual([]);
    const names = own.map(({ name }) => name);
    expect(
      continuations.cases.map(({ name }) => name),
      "test/golden/generate/make_generate.py run again",
    ).toEqual(expect.arrayContaining(names));
    expect(
      gradients.cases.filter((name) => names.includes(name)),
      "a case in test/golden/gradients/make_gradients.py",
    ).not.toEqual([]);
  },
);
