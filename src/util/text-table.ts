/** Lines of a table, the first column aligned as `first` says, the others to the right. At least one row; all of one length. */
export function textTable(
  rows: readonly (readonly string[])[],
  first: "left" | "right" = "left",
): string[] {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map((row) =>
    row
      .map((cell, i) =>
        i === 0 && first === "left" ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!),
      )
      .join("  ")
      .trimEnd(),
  );
}

/** Lines of a text, parts of which may be absent. */
export type Lines = string | false | undefined | readonly Lines[];

/** The lines that are there. */
export function linesOf(lines: Lines): string[] {
  if (typeof lines === "string") return [lines];
  return lines ? lines.flatMap(linesOf) : [];
}

/** The same as a text. */
export const textOf = (...lines: readonly Lines[]): string => linesOf(lines).join("\n");

/** A column of a table: its heading, and its cell in the line of a row; an undefined one is a dash. */
export type Column<T> = readonly [
  heading: string,
  cell: (row: T, index: number) => string | number | undefined,
];

/** Lines of a table: the headings, then one for each row. */
export function tableOf<T>(
  rows: readonly T[],
  columns: readonly Column<T>[],
  first?: "left" | "right",
): string[] {
  const headings = columns.map(([heading]) => heading);
  const lines = rows.map((row, i) => columns.map(([, cell]) => `${cell(row, i) ?? "-"}`));
  return textTable([headings, ...lines], first);
}

/** The first rows of a table that may be long, and how many more there are. */
export function headOf<T>(
  rows: readonly T[],
  most: number,
  show: (shown: readonly T[]) => readonly string[],
  indent = "",
): string[] {
  const left = rows.length - most;
  return [...show(rows.slice(0, most)), ...(left > 0 ? [`${indent}… and ${left} more`] : [])];
}

/** Names come from data: no control characters may reach the terminal, and no name may fill it. */
export function printable(text: string, longest = MAX_NAME): string {
  const shown = text.replaceAll(/[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu, "�");
  return shown.length > longest ? `${shown.slice(0, longest - 1)}…` : shown;
}

/** News and errors quote data now and then: lines stay lines, but nothing in them may control the terminal or fill it. */
export function printableLines(text: string): string {
  return text
    .split("\n")
    .map((line) => printable(line, MAX_LINE))
    .join("\n");
}

/**
 * Text from models and data sets as lines that only show something: control characters, escape sequences among them, directions of
 * writing and other invisible characters become "\uFFFD"; a tab becomes a space.
 */
export function harmlessLines(text: string): string[] {
  return text
    .replaceAll(/\r\n?|[\u2028\u2029]/g, "\n")
    .replaceAll("\t", " ")
    .split("\n")
    .map((line) => line.replaceAll(/[\p{Cc}\p{Cf}\p{Cs}\p{Co}]/gu, "\uFFFD"));
}

/** A line in lines of at most `width`: broken at the last space that fits, or in the middle of a word. */
export function wrapLine(line: string, width: number): string[] {
  const lines: string[] = [];
  let rest = line;
  while (rest.length > width) {
    const space = rest.lastIndexOf(" ", width);
    let end = space > width / 2 ? space : width;
    // Half a character would be another one.
    if (/[\uD800-\uDBFF]/.test(rest[end - 1] ?? "")) end--;
    lines.push(rest.slice(0, end));
    rest = rest.slice(end).trimStart();
  }
  return [...lines, rest];
}

const MAX_NAME = 72;
const MAX_LINE = 2000;
