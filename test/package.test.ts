/** @file The package as npm would publish it, and the script in it that shows the library. */
import { execFile } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { expect, test, vi } from "vitest";

import { openStore } from "../src/store/open-store.ts";
import { suiteFolder } from "./support/suite-folder.ts";

vi.setConfig({ testTimeout: 120_000 });

const execute = promisify(execFile);
const ROOT = fileURLToPath(new URL("..", import.meta.url));

const listed = (folder: string): string[] =>
  readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(ROOT.length));

/** Files in the package, npm pack asked and nothing written. */
async function packed(): Promise<readonly string[]> {
  const words = ["pack", "--dry-run", "--json", "--ignore-scripts"];
  const { stdout } = await execute("npm", words, { cwd: ROOT, maxBuffer: 2 ** 26 });
  const [{ files }] = JSON.parse(stdout) as [{ files: { path: string }[] }];
  return files.map(({ path }) => path).toSorted();
}

test("the package has what runs, its types, examples, organisms and rubrics, and nothing else", async () => {
  const modules = listed("src")
    .filter((path) => path.endsWith(".ts") && !path.endsWith(".test.ts"))
    .map((path) => path.slice("src/".length, -".ts".length));
  const made = ["dist/report-page", "examples", "organisms", "rubrics"];
  const data = made.flatMap(listed).filter((path) => !path.endsWith(".map"));
  const expected = [
    "dist/index.js",
    "dist/cli/main.js",
    "dist/engine/thread.js",
    ...listed("dist/code").filter((path) => !path.endsWith(".map")),
    ...modules.map((name) => `dist/${name}.d.ts`),
    ...data.filter((path) => !path.endsWith(".ts") && !path.includes("/stages/")),
    ...listed("workers/ray/culprit_worker").filter((path) => path.endsWith(".py")),
    "workers/ray/pyproject.toml",
    "workers/ray/requirements.txt",
    "LICENSE",
    "README.md",
    "package.json",
  ];
  expect(await packed()).toEqual(expected.toSorted());
});

test("what the package imports at run time or for its types, it depends on", async () => {
  const { dependencies } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as {
    dependencies: Record<string, string>;
  };
  const imported = new Set(
    listed("dist")
      .filter((path) => /\.(js|d\.ts)$/.test(path) && !path.startsWith("dist/report-page/"))
      .flatMap((path) => [
        ...readFileSync(join(ROOT, path), "utf8").matchAll(
          /(?:^(?:import|export)[^;]*? from |^import |\bimport\(|\.resolve\(|createRequire\(import\.meta\.url\)\()"([^".][^"]*)"/gm,
        ),
      ])
      .map(([, name = ""]) => /^(@[^/]+\/)?[^/]+/.exec(name)![0])
      .filter((name) => !name.startsWith("node:")),
  );
  expect([...imported].toSorted()).toEqual(Object.keys(dependencies).toSorted());
});

test("the script of the reference embeds and ranks the organism that ships", async () => {
  const script = join(ROOT, "examples", "embed-and-rank.mjs");
  const folder = suiteFolder();
  const { stdout, stderr } = await execute(process.execPath, [script, folder]);
  const [verdict, ...top] = stdout.trim().split("\n");
  expect(verdict).toMatch(/^(concentrated|diffuse|no signal)$/);
  expect(top).toHaveLength(5);
  for (const line of top) expect(line).toMatch(/^0\.\d{3} d-\d{5} \S.*$/);
  expect(stderr).toBe("");
  const store = await openStore(join(folder, "vectors"));
  expect(store.rows).toBeGreaterThan(5000);
  const text = readFileSync(script, "utf8");
  expect(readFileSync(join(ROOT, "docs", "reference.md"), "utf8")).toContain(text);
  const code = text.split("\n");
  expect(code.filter((line) => !/^(\/[/*]|$)/.test(line)).length).toBeLessThanOrEqual(30);
});
