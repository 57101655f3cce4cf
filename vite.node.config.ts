/**
 * @file Builds the command line, the library and the engine's threads: a few files instead of nine hundred. Node takes longer to find and
 * link that many than all commands but the heavy ones need for their work. Two packages that every command loads come in with their
 * licences, the others stay outside.
 */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { defineConfig } from "vite";

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** Some hundred and seventy files, which every command would look for, read and link. */
const INSIDE = ["zod", "yaml"];

/** What stands above a package's code: what its licence asks of a copy. */
function licenceOf(name: string): string {
  const text = readFileSync(at(`node_modules/${name}/LICENSE`), "utf8").trim();
  return `/*! ${name}: a copy of the package of this name.\n\n${text}\n*/`;
}

// oxlint-disable-next-line import/no-default-export -- Vite reads it
export default defineConfig({
  ssr: { noExternal: INSIDE },
  build: {
    ssr: true,
    outDir: at("dist"),
    emptyOutDir: false,
    target: "node20.19",
    minify: false,
    sourcemap: true,
    reportCompressedSize: false,
    rolldownOptions: {
      input: {
        index: at("src/index.ts"),
        "cli/main": at("src/cli/main.ts"),
        "engine/thread": at("src/engine/threads/thread.ts"),
      },
      output: {
        entryFileNames: "[name].js",
        // One folder below dist, as src/util/package-file.ts needs it.
        chunkFileNames: "code/[name]-[hash].js",
        codeSplitting: {
          groups: INSIDE.map((name) => ({ name, test: new RegExp(`/node_modules/${name}/`) })),
        },
        // A sixth of the text, which Node would read at every start.
        comments: false,
        postBanner: ({ name }) => (INSIDE.includes(name) ? licenceOf(name) : ""),
      },
    },
  },
});
