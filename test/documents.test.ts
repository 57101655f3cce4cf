/** What README and the documents promise about themselves: links that lead somewhere, a first screen, paragraphs that can be read. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { posix } from "node:path";

import { expect, test } from "vitest";

import { parseExperiment } from "../src/experiment/read-experiment.ts";

const at = (path: string): URL => new URL(`../${path}`, import.meta.url);
const textOf = (path: string): string => readFileSync(at(path), "utf8");

const DOCUMENTS = [
  "README.md",
  "CONTRIBUTING.md",
  "CHANGELOG.md",
  ...readdirSync(at("docs"), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".md"))
    .map((file) => `docs/${file}`)
    .toSorted(),
];
const FIRST_SCREEN = { lines: 40, columns: 90 };
const PARAGRAPH = 6 * 120;

const readme = textOf("README.md");

test("README's first screen says what, how to start, how to go on", () => {
  const screen = readme.split("\n").slice(0, FIRST_SCREEN.lines);
  expect(screen.filter((line) => line.length > FIRST_SCREEN.columns)).toEqual([]);
  for (const part of ["npm ci && npm run demo", "npm ci && npm test", "```yaml", ".svg", "](docs/"])
    expect(screen.join("\n")).toContain(part);
});

test("README's experiment is one", () => {
  const [, yaml = ""] = /```yaml\n([^]*?)```/.exec(readme) ?? [];
  expect(parseExperiment(yaml, "README.md").judge).toBeDefined();
});

test.each(DOCUMENTS)("%s has links that lead somewhere", (path) => {
  const lost = [...withoutCode(textOf(path)).matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, link = ""]) => link)
    .filter((link) => !/^https?:/.test(link) && !leadsSomewhere(path, link));
  expect(lost).toEqual([]);
});

test.each(DOCUMENTS)("%s has no paragraph of more than six lines of 120 columns", (path) => {
  const paragraphs = withoutCode(textOf(path))
    .replaceAll(/\]\([^)\s]*\)/g, "]")
    .replaceAll(/^(?=\s*(?:[-*|#<]|\d+\.) )/gm, "\n")
    .split(/\n\s*\n/)
    .filter((paragraph) => !paragraph.trimStart().startsWith("|"));
  expect(paragraphs.filter(({ length }) => length > PARAGRAPH)).toEqual([]);
});

test.each(DOCUMENTS)("%s says above each table what it shows", (path) => {
  const blocks = withoutCode(textOf(path))
    .split(/\n\s*\n/)
    .filter((block) => !block.startsWith("<!--"));
  const bare = blocks.filter(
    (block, i) => block.startsWith("|") && !/^[^#|]/.test(blocks[i - 1] ?? "") && i > 0,
  );
  expect(bare.map((block) => block.split("\n")[0])).toEqual([]);
});

test("the TypeScript of the documents imports what the library exports", async () => {
  const exported = new Set(Object.keys(await import("../src/index.ts")));
  const imported = DOCUMENTS.flatMap((path) =>
    [...textOf(path).matchAll(/^import \{([^}]+)\} from "culprit";$/gm)].flatMap(([, names = ""]) =>
      names.split(",").map((name) => name.trim()),
    ),
  );
  expect(imported.length).toBeGreaterThan(0);
  expect(imported.filter((name) => !exported.has(name))).toEqual([]);
});

test("docs/decisions.md names every decision in its index", () => {
  const [index = "", ...rest] = textOf("docs/decisions.md").split(/^(?=## (?!Index))/m);
  const titles = [...rest.join("").matchAll(/^### (.+)$/gm)].map(([, title]) => title);
  expect([...index.matchAll(/^- \[(.+)\]\(#/gm)].map(([, title]) => title)).toEqual(titles);
});

function leadsSomewhere(from: string, link: string): boolean {
  const [file = "", anchor] = link.split("#");
  const path = file === "" ? from : posix.join(posix.dirname(from), file);
  if (!existsSync(at(path))) return false;
  return anchor === undefined || anchorsOf(textOf(path)).has(anchor);
}

/** The anchors that GitHub gives a document's headings. */
function anchorsOf(text: string): Set<string> {
  return new Set(
    [...withoutCode(text).matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) =>
      heading
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N} _-]/gu, "")
        .replaceAll(" ", "-"),
    ),
  );
}

function withoutCode(text: string): string {
  return text.replaceAll(/^ *```[^]*?^ *```$/gm, "");
}
