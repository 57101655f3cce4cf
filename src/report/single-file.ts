/** @file A report as one HTML file: page and data inside, allowed by their hashes. */
import { createHash } from "node:crypto";

import type { PageFiles } from "./page-files.ts";

/** Puts style, data and script into the page; `data` are JSON texts by the names under which the page asks for them. */
export function singleFile(
  { html, css, script }: PageFiles,
  data: ReadonlyMap<string, string>,
): string {
  const style = css.replaceAll("</style", String.raw`<\/style`);
  const code = script
    .replaceAll("</script", String.raw`<\/script`)
    .replaceAll("<!--", String.raw`<\!--`);
  // Not run, and so under no policy; an opening angle bracket could end the element.
  const blocks = [...data].map(
    ([name, json]) =>
      `<script type="application/json" id="culprit-data-${name}">${json.replaceAll("<", String.raw`\u003c`)}</script>`,
  );
  const filled = replaceOnce(html, "script-src 'self'", `script-src 'sha256-${hash(code)}'`);
  const styled = replaceOnce(filled, "style-src 'self'", `style-src 'sha256-${hash(style)}'`);
  const linked = replaceOnce(styled, STYLE, `<style>${style}</style>`);
  const bare = replaceOnce(linked, SCRIPT, "");
  return replaceOnce(bare, "</body>", `${blocks.join("\n")}\n<script>${code}</script>\n</body>`);
}

const STYLE = '<link rel="stylesheet" href="page.css">';
const SCRIPT = '<script defer src="page.js"></script>';

const hash = (text: string): string => createHash("sha256").update(text).digest("base64");

function replaceOnce(text: string, part: string, by: string): string {
  const at = text.indexOf(part);
  if (at === -1) throw new Error(`internal: the page has no ${part}`);
  // Not String.replace, which reads dollar signs.
  return text.slice(0, at) + by + text.slice(at + part.length);
}
