/** @file Writes the linter's rules on which folder may import which into .oxlintrc.json, from the list in rooms.ts. */
import { readFile, writeFile } from "node:fs/promises";

import { ROOMS } from "../rooms.ts";

interface Override {
  readonly files: readonly string[];
  readonly rules: object;
}

const ROOM_FILES = /^src\/[a-z]+\/\*\*$/;
const ORT = { name: "onnxruntime-node", message: "Only runtime/ort.ts imports it." };

/** The override of each folder: what it may not import. */
export function roomOverrides(): Override[] {
  return ROOMS.map(({ name }, i) => ({
    files: [`src/${name}/**`],
    rules: {
      "no-restricted-imports": [
        "error",
        {
          patterns: [
            {
              group: [
                ...ROOMS.slice(i + 1).map((room) => `**/${room.name}/*`),
                "**/src/index.ts",
                "!**/test/**",
              ],
              message: `${name}/ imports only from folders above it in rooms.ts.`,
            },
          ],
          paths: name === "runtime" ? [] : [ORT],
        },
      ],
    },
  }));
}

/** The whole file with its overrides for folders renewed; the others stay. */
export function withRoomOverrides(text: string): string {
  const config = JSON.parse(text) as { overrides: Override[] }; // our own file
  const others = config.overrides.filter(
    ({ files }) => !files.every((file) => ROOM_FILES.test(file)),
  );
  return `${JSON.stringify({ ...config, overrides: [...roomOverrides(), ...others] }, undefined, 2)}\n`;
}

export async function writeLintRules(): Promise<void> {
  const path = new URL("../.oxlintrc.json", import.meta.url);
  await writeFile(path, withRoomOverrides(await readFile(path, "utf8")));
}
