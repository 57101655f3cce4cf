import { existsSync, readdirSync, readFileSync } from "node:fs";
import { posix } from "node:path";

import { expect, test } from "vitest";

import { ROOMS } from "../rooms.ts";
import { roomOverrides } from "../scripts/lint-rules.ts";
import { importLine, roomTable, signPath } from "../scripts/room-docs.ts";

const at = (path: string): URL => new URL(`../${path}`, import.meta.url);
const textOf = (path: string): string => readFileSync(at(path), "utf8");
const names = ROOMS.map(({ name }) => name);

test("rooms.ts lists every folder of src and no other", () => {
  const folders = readdirSync(at("src"), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name);
  expect(names.toSorted()).toEqual(folders.toSorted());
});

test("the linter's rules are those of rooms.ts", () => {
  const { overrides } = JSON.parse(textOf(".oxlintrc.json")) as {
    overrides: { files: string[] }[];
  };
  expect(overrides.filter(({ files }) => files.every((file) => file.startsWith("src/")))).toEqual(
    roomOverrides(),
  );
});

test("CONTRIBUTING.md has the table of rooms.ts", () => {
  expect(textOf("CONTRIBUTING.md")).toContain(
    `<!-- rooms -->\n\n${roomTable()}\n\n<!-- /rooms -->`,
  );
});

test.each(ROOMS)("src/$name has a sign: what it holds, its words, what it may touch", (room) => {
  const sign = textOf(signPath(room));
  expect(sign).toMatch(new RegExp(`^# ${room.name}\n\n[A-Z]`));
  for (const part of ["**Words:** ", "**Begin with** ", "**Touches:** "]) {
    expect(sign).toContain(`\n${part}`);
  }
  expect(sign.trimEnd().split("\n").at(-1)).toBe(importLine(room));
  expect(sign.split("\n").length).toBeLessThanOrEqual(16);
  for (const [, file] of sign.matchAll(/`([\w/-]+\.ts|[\w-]+\/)`/g)) {
    expect(existsSync(at(`src/${room.name}/${file}`)), `${room.name}: ${file}`).toBe(true);
  }
});

const [picture = ""] = /(?<=```mermaid\n)[^]*?(?=```)/.exec(textOf("docs/architecture.md")) ?? [];

test("the picture of docs/architecture.md has every room, in the order of rooms.ts", () => {
  expect([...picture.matchAll(/^ +(\w+)\["(\w+)/gm)].map(([, id]) => id)).toEqual(names);
  expect([...picture.matchAll(/^ +(\w+)\["(\w+)/gm)].map(([, , label]) => label)).toEqual(names);
});

test("a solid arrow of the picture is an import, a dotted one is none", () => {
  const imports = roomImports();
  const arrows = [...picture.matchAll(/^ {2}\w+(?: -\.?->(?:\|[^|]*\|)? \w+)+$/gm)].flatMap(
    ([line]) => {
      const words = line.trim().split(/ (-\.?->)(?:\|[^|]*\|)? /);
      return words.flatMap((word, i) =>
        i % 2 === 1
          ? [{ from: words[i - 1] ?? "", to: words[i + 1] ?? "", isSolid: word === "-->" }]
          : [],
      );
    },
  );
  expect(arrows).toHaveLength(picture.match(/-\.?->/g)?.length ?? 0);
  for (const { from, to, isSolid } of arrows) {
    expect(imports.has(`${from} ${to}`), `${from} to ${to}`).toBe(isSolid);
  }
});

/** `FROM TO` where code of TO, tests apart, imports of FROM. */
function roomImports(): Set<string> {
  const files = readdirSync(at("src"), { recursive: true, encoding: "utf8" }).filter(
    (file) => file.endsWith(".ts") && !file.endsWith(".test.ts"),
  );
  return new Set(
    files.flatMap((file) =>
      [...textOf(`src/${file}`).matchAll(/from "(\.[^"]+)"/g)].map(([, path = ""]) => {
        const from = posix.join(posix.dirname(file), path).split("/")[0];
        return `${from} ${file.split("/")[0]}`;
      }),
    ),
  );
}
