import { readdirSync, readFileSync } from "node:fs";

import { expect, test } from "vitest";

import { GOLDENS, goldenTable } from "../scripts/goldens.ts";

const at = (path: string): URL => new URL(path, import.meta.url);

test("scripts/goldens.ts lists every script of test/golden with packages of known versions", () => {
  const scripts = readdirSync(at("golden/"), { recursive: true, encoding: "utf8" }).filter((path) =>
    /^[^/]+\/[^/]+\.py$/.test(path),
  );
  expect(GOLDENS.map(({ script }) => script).toSorted()).toEqual(scripts.toSorted());
  const pinned = readFileSync(at("golden/requirements.txt"), "utf8").trim().split("\n");
  expect(pinned.map((line) => line.split("==")[0])).toEqual(
    [...new Set(GOLDENS.flatMap(({ packages }) => packages))].toSorted(),
  );
});

test("each script's packages are those that it imports", () => {
  const modules = { sklearn: "scikit-learn" } as const;
  const known = new Set(GOLDENS.flatMap(({ packages }) => packages));
  for (const { script, packages } of GOLDENS) {
    const text = readFileSync(at(`golden/${script}`), "utf8");
    const imported = [...text.matchAll(/^(?:import|from) (.+?)(?: import .*)?$/gm)]
      .flatMap(([, names]) => names!.split(/, */))
      .map((name) => name.split(/[ .]/)[0]!)
      .map((name) => (name in modules ? modules[name as keyof typeof modules] : name)); // just tested
    for (const name of imported.filter((each) => known.has(each))) {
      expect(packages, `packages of ${script}`).toContain(name);
    }
  }
});

test("the table of golden files in CONTRIBUTING.md is that of scripts/goldens.ts", () => {
  expect(readFileSync(at("../CONTRIBUTING.md"), "utf8")).toContain(`\n${goldenTable()}\n`);
});
