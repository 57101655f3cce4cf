/**
 * @file Builds the command line and the library: a few files instead of nine hundred. Node takes longer to find and link that many than all
 * commands but the heavy ones need for their work. What the package depends on stays outside.
 */
import { fileURLToPath } from "node:url";

import { defineConfig } from "vite";

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

// oxlint-disable-next-line import/no-default-export -- Vite reads it
export default defineConfig({
  build: {
    ssr: true,
    outDir: at("dist"),
    emptyOutDir: false,
    target: "node20.19",
    minify: false,
    sourcemap: true,
    reportCompressedSize: false,
    rolldownOptions: {
      input: { index: at("src/index.ts"), "cli/main": at("src/cli/main.ts") },
      output: {
        entryFileNames: "[name].js",
        // One folder below dist, as src/util/package-file.ts needs it.
        chunkFileNames: "code/[name]-[hash].js",
      },
    },
  },
});
