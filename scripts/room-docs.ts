/** @file What documents say of the rooms, made from rooms.ts: the table in CONTRIBUTING.md, and each sign's line of rooms that it may import. */
import { readFile, writeFile } from "node:fs/promises";

import { type Room, ROOMS } from "../rooms.ts";
import { atRoot, between } from "./documents.ts";

/** The table of CONTRIBUTING.md. */
export function roomTable(): string {
  return [
    "| folder | holds |",
    "|---|---|",
    ...ROOMS.map(({ name, holds }) => `| [\`src/${name}/\`](src/${name}/README.md) | ${holds} |`),
  ].join("\n");
}

/** The last line of a room's sign. */
export function importLine({ name }: Room): string {
  const above = ROOMS.slice(
    0,
    ROOMS.findIndex((room) => room.name === name),
  );
  return `May import: ${above.map((room) => room.name).join(", ") || "nothing of src"}.`;
}

export const signPath = ({ name }: Room): string => `src/${name}/README.md`;

/** Writes the table and the lines; the rest of the documents stays. */
export async function writeRoomDocs(): Promise<void> {
  const contributing = atRoot("CONTRIBUTING.md");
  const text = await readFile(contributing, "utf8");
  await writeFile(contributing, between(text, "rooms", roomTable()));
  for (const room of ROOMS) {
    const sign = atRoot(signPath(room));
    const lines = (await readFile(sign, "utf8")).trimEnd().split("\n");
    await writeFile(sign, `${[...lines.slice(0, -1), importLine(room)].join("\n")}\n`);
  }
}
