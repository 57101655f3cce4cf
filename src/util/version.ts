import { readFileSync } from "node:fs";

import { packageFile } from "./package-file.ts";

/** This package's version, as in package.json; recorded in every manifest. */
export const VERSION: string = readVersion();

function readVersion(): string {
  const text = readFileSync(packageFile("package.json"), "utf8");
  return (JSON.parse(text) as { version: string }).version; // our own file
}
