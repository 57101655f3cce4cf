import { createHash } from "node:crypto";

import { expect, it } from "vitest";

import { singleFile } from "./single-file.ts";

const HTML = `<head><meta content="script-src 'self'; style-src 'self' 'sha256-x'">
<link rel="stylesheet" href="page.css">
<script defer src="page.js"></script></head><body></body>`;

const hash = (text: string): string => createHash("sha256").update(text).digest("base64");

it("puts all inside, and allows script and style by the hashes of what stands there", () => {
  const page = singleFile(
    { html: HTML, css: "b{content:'</style>'}", script: "run('</script><!-- $&')" },
    new Map([["pairs", JSON.stringify({ text: "</script><script>alert(1)</script><!--" })]]),
  );
  const script = /<script>([^]*?)<\/script>/.exec(page)![1]!;
  const style = /<style>([^]*?)<\/style>/.exec(page)![1]!;
  expect(script).toBe(String.raw`run('<\/script><\!-- $&')`);
  expect(page).toContain(`script-src 'sha256-${hash(script)}'`);
  expect(page).toContain(`style-src 'sha256-${hash(style)}' 'sha256-x'`);
  expect(page).not.toContain("page.js");
  expect(page.match(/<script/g)).toHaveLength(2);
  const [, json = ""] = /id="culprit-data-pairs">([^]*?)<\/script>/.exec(page)!;
  expect(JSON.parse(json)).toEqual({ text: "</script><script>alert(1)</script><!--" });
});
