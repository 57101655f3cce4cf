/** Lines of a table, the first column left-aligned, the others right-aligned. At least one row; all of one length. */
export function textTable(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map((row) =>
    row
      .map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)))
      .join("  ")
      .trimEnd(),
  );
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

const MAX_NAME = 72;
const MAX_LINE = 2000;
