/**
 * @file Builds the page into dist/report-page, in a form that opens from disk: one classic script and one style sheet beside index.html.
 * A page from disk may load no module, and nothing with `crossorigin`.
 */
import { defineConfig, type Plugin } from "vite";

import { PLOT_STYLE_HASHES } from "./charts/plot-styles.ts";

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

// oxlint-disable-next-line import/no-default-export -- Vite reads it
export default defineConfig({
  base: "./",
  plugins: [classicTags],
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
