/**
 * @file Builds the page into dist/report-page, in a form that opens from disk: one classic script and one style sheet beside index.html.
 * A page from disk may load no module, and nothing with `crossorigin`.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { defineConfig, type Plugin } from "vite";

import { PLOT_STYLE_HASHES } from "./charts/plot-styles.ts";
import { parseGlossary } from "./parse-glossary.ts";

/** Vite writes module tags, which are refused from file://. */
const classicTags: Plugin = {
  name: "classic-tags",
  transformIndexHtml: {
    order: "post",
    handler: (html) =>
      html
        .replace(/\s*<script type="module"[^>]*><\/script>/, "")
        .replace(/\s*<link rel="stylesheet"[^>]*>/, "")
        .replace(
          "</head>",
          '  <link rel="stylesheet" href="page.css">\n    <script defer src="page.js"></script>\n  </head>',
        )
        .replace("PLOT_STYLES", PLOT_STYLE_HASHES.join(" ")),
  },
};

const PAGE = fileURLToPath(new URL(".", import.meta.url));
const GLOSSARY = "virtual:glossary";

/** The definitions of the words that the page uses: the whole glossary would be 6 kB more. */
const usedGlossary: Plugin = {
  name: "used-glossary",
  resolveId: (id) => (id === GLOSSARY ? `\0${GLOSSARY}` : undefined),
  load: (id) => {
    if (id !== `\0${GLOSSARY}`) return undefined;
    const words = readdirSync(PAGE, { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".tsx"))
      .flatMap((name) => [
        ...readFileSync(join(PAGE, name), "utf8").matchAll(/<Term\b[^>]*?\bof="([^"]+)"/g),
      ])
      .map(([, word]) => word!);
    const meanings = parseGlossary(readFileSync(join(PAGE, "../docs/glossary.md"), "utf8"));
    const used = [...new Set(words)].toSorted().map((word) => {
      const meaning = meanings.get(word);
      if (meaning === undefined) throw new Error(`docs/glossary.md does not define "${word}"`);
      return [word, meaning];
    });
    return `export default ${JSON.stringify(used)};`;
  },
};

// oxlint-disable-next-line import/no-default-export -- Vite reads it
export default defineConfig({
  base: "./",
  plugins: [classicTags, usedGlossary],
  resolve: {
    alias: {
      "d3-geo": join(PAGE, "charts/no-geo.ts"),
      "d3-scale-chromatic": join(PAGE, "charts/no-schemes.ts"),
    },
  },
  build: {
    outDir: "../dist/report-page",
    emptyOutDir: true,
    cssCodeSplit: false,
    modulePreload: false,
    chunkSizeWarningLimit: 700,
    target: "es2022",
    rolldownOptions: {
      output: {
        format: "iife",
        entryFileNames: "page.js",
        assetFileNames: "page.[ext]",
      },
    },
  },
});
