/** @file Saves a chart as SVG or PNG, and its data as CSV. */

/** A name for files, of letters, digits and dashes. */
export const fileName = (title: string): string =>
  title
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replaceAll(/^-|-$/g, "") || "chart";

/** Characters that XML cannot hold: a name with one of them would leave a picture that nothing opens. */
const UNWRITABLE = /(?![\t\n\r])[\p{Cc}\p{Cs}\uFFFE\uFFFF]/gu;

export function saveSvg(title: string, svg: SVGSVGElement, paper: string): void {
  save(`${fileName(title)}.svg`, new Blob([svgText(svg, paper)], { type: "image/svg+xml" }));
}

/** Twice as fine as on the screen. */
export async function savePng(title: string, svg: SVGSVGElement, paper: string): Promise<void> {
  const { width, height } = svg.viewBox.baseVal;
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svgText(svg, paper))}`;
  await image.decode();
  const canvas = document.createElement("canvas");
  canvas.width = 2 * width;
  canvas.height = 2 * height;
  canvas.getContext("2d")?.drawImage(image, 0, 0, canvas.width, canvas.height);
  const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, "image/png"));
  save(`${fileName(title)}.png`, blob!); // what is not there throws, which is shown
}

export function saveCsv(
  title: string,
  head: readonly string[],
  rows: readonly (readonly (string | number | undefined)[])[],
): void {
  const lines = [head, ...rows].map((cells) => cells.map(csvCell).join(","));
  save(`${fileName(title)}.csv`, new Blob([`${lines.join("\r\n")}\r\n`], { type: "text/csv" }));
}

/** Text that a spreadsheet would take for a formula gets a quote before it. */
export function csvCell(cell: string | number | undefined): string {
  if (typeof cell !== "string") return cell === undefined ? "" : String(cell);
  const safe = /^[=+\-@\t\r]/.test(cell) ? `'${cell}` : cell;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

function svgText(svg: SVGSVGElement, paper: string): string {
  const copy = svg.cloneNode(true) as SVGSVGElement; // of the same kind
  const { width, height } = svg.viewBox.baseVal;
  copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  copy.setAttribute("width", String(width));
  copy.setAttribute("height", String(height));
  copy.style.background = paper;
  const back = document.createElementNS("http://www.w3.org/2000/svg", "rect");
  for (const [name, value] of Object.entries({ width, height, fill: paper })) {
    back.setAttribute(name, String(value));
  }
  copy.prepend(back);
  for (const each of copy.querySelectorAll("[tabindex]")) each.removeAttribute("tabindex");
  return new XMLSerializer().serializeToString(copy).replaceAll(UNWRITABLE, "\uFFFD");
}

function save(name: string, blob: Blob): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  // Never revoked: a browser that asks first, or is busy, reads it when somebody has answered. It goes with the page.
}
