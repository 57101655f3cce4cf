/** @file Writes a report that opens from disk: a folder of the page and its data as scripts, or one HTML file. */
import { mkdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

import { describeWriteError, writeFileAtomic } from "../util/atomic-file.ts";
import { ConfigError } from "../util/errors.ts";
import { expectWritable } from "../util/make-folder.ts";
import { readPageFiles } from "./page-files.ts";
import type { ReportData } from "./read-report.ts";
import type { Redact } from "./redact.ts";
import { singleFile } from "./single-file.ts";

export interface WriteReportOptions {
  /** The folder to make, or with `isSingleFile` the file. */
  readonly out: string;
  readonly isSingleFile: boolean;
  /** Replaces a report that is there. */
  readonly isForced: boolean;
  readonly redact: Redact;
}

/** What was written. */
export interface WrittenReport {
  /** The file to open. */
  readonly index: string;
  readonly bytes: number;
  /** Pairs of the ranking, those with a row, those with their text. */
  readonly pairs: { readonly total: number; readonly listed: number; readonly texts: number };
}

/** The first bytes of every report have this: only such a folder or file is ever replaced. */
const MARK = '<meta name="generator" content="culprit report"';

/** Writes a report, whole or not at all. Throws ConfigError where something else is in the place. */
export async function writeReport(
  data: ReportData,
  options: WriteReportOptions,
): Promise<WrittenReport> {
  const { out, isSingleFile } = options;
  await expectOwnPlace(options);
  const page = await readPageFiles();
  const texts = dataTexts(data, options.redact);
  const pairs = {
    total: data.pairs?.summary.total ?? 0,
    listed: data.pairs?.summary.listed ?? 0,
    texts: data.chunks.reduce((sum, chunk) => sum + chunk.length, 0),
  };
  if (isSingleFile) {
    const html = singleFile(page, texts);
    await writeFileAtomic(out, html);
    return { index: out, bytes: Buffer.byteLength(html), pairs };
  }
  const files = new Map([
    ["index.html", page.html],
    ["page.css", page.css],
    ["page.js", page.script],
    ...[...texts].map(([name, json]) => [`data/${name}.js`, asScript(name, json)] as const),
  ]);
  await writeFolder(out, files);
  const sizes = [...files.values()].map((text) => Buffer.byteLength(text));
  return {
    index: join(out, "index.html"),
    bytes: sizes.reduce((sum, each) => sum + each, 0),
    pairs,
  };
}

/** The data of a report as JSON, by the names of its files. */
function dataTexts(data: ReportData, redact: Redact): ReadonlyMap<string, string> {
  const named: [string, unknown][] = [
    ...Object.entries(data.parts),
    ["pairs", data.pairs],
    ...data.chunks.map((chunk, i): [string, unknown] => [`texts-${i}`, chunk]),
  ];
  return new Map(
    named.map(([name, value]) => [
      name,
      JSON.stringify(value === undefined ? null : redact(value)),
    ]),
  );
}

/** A script, since a page from disk may read no other file: it hands over one JSON text, which parses faster than a literal. */
const asScript = (name: string, json: string): string =>
  `culpritData(${JSON.stringify(name)},${JSON.stringify(json)});\n`;

/** Where a report is made before it takes its name. */
const partialOf = (out: string): string => join(dirname(out), `.${basename(out)}.partial`);

async function writeFolder(out: string, files: ReadonlyMap<string, string>): Promise<void> {
  const partial = partialOf(out);
  try {
    await rm(partial, { recursive: true, force: true });
    await mkdir(join(partial, "data"), { recursive: true });
    for (const [name, text] of files) await writeFile(join(partial, name), text);
    await rm(out, { recursive: true, force: true });
    await rename(partial, out);
  } catch (error) {
    await rm(partial, { recursive: true, force: true });
    throw describeWriteError(out, error);
  }
}

/** Throws ConfigError where something else than an earlier report is in the place, or one that is not to be replaced. */
export async function expectOwnPlace({
  out,
  isSingleFile,
  isForced,
}: Omit<WriteReportOptions, "redact">): Promise<void> {
  expectWritable(isSingleFile ? out : partialOf(out));
  const found = await stat(out).catch(() => undefined);
  if (found === undefined) return;
  const index = isSingleFile ? out : join(out, "index.html");
  const isOwn =
    found.isDirectory() !== isSingleFile &&
    (await readFile(index, "utf8").catch(() => "")).includes(MARK);
  if (!isOwn) {
    throw new ConfigError(`${out}: expected a new place or an earlier report, got something else`, {
      hint: "Choose another --out.",
    });
  }
  if (isForced) return;
  throw new ConfigError(`${out}: exists already`, {
    hint: "Choose another place, or replace it with --force.",
  });
}
