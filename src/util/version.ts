import { readFileSync } from "node:fs";

/** This package's version, as in package.json; recorded in every manifest. */
export const VERSION: string = readVersion();

function readVersion(): string {
  // Two folders up from both src/util and dist/util.
  const text = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  return (JSON.parse(text) as { version: string }).version; // our own file
}
