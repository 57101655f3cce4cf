import { readdirSync, readFileSync } from "node:fs";

import { expect, it } from "vitest";

import { parseGlossary } from "./parse-glossary.ts";

const read = (path: string): string => readFileSync(new URL(path, import.meta.url), "utf8");
const glossary = parseGlossary(read("../docs/glossary.md"));

it("reads words, their second words, and meanings without marks and without words for the same", () => {
  expect(
    parseGlossary(
      "# Glossary\n\n- **rank**: 1 for the highest `score`; see [how](x.md). **percentile**: share below it.\n- **chosen**, **rejected**: the two. [winner]\n",
    ),
  ).toEqual(
    new Map([
      ["rank", "1 for the highest score; see how. percentile: share below it."],
      ["percentile", "share below it."],
      ["chosen", "the two."],
      ["rejected", "the two."],
    ]),
  );
});

it("has every word that the page links to", () => {
  const files = readdirSync(new URL(".", import.meta.url), { recursive: true, encoding: "utf8" });
  const used = files
    .filter((file) => file.endsWith(".tsx"))
    .flatMap((file) => [...read(file).matchAll(/<Term\b[^>]*?\bof="([^"]+)"/g)])
    .map(([, word = ""]) => word);
  expect(used.length).toBeGreaterThan(20);
  expect(used.filter((word) => !glossary.has(word))).toEqual([]);
});
