import type { Page } from "playwright-core";

/** Where a number needs no interval, and why: of these elements. */
const TOLD = [
  ".figure, .told", // it tells
  ".grid", // a row tells of itself in the line below
  "svg", // axes; points tell
  "figcaption", // how to read a chart: what chance is, where a colour begins
  "thead, .head", // of columns
  ".chart table", // a chart's data: low, high and n have columns of their own
  "pre, code, .turn, bdi, .token, li > bdi", // text of data and settings
  ".side ul", // shares of tokens: parts of a sum, told by the line above as well
] as const;

/** And of these words. */
const EXACT = [
  String.raw`^\[[^\]]*\]$`, // an interval by itself, in the column beside its figure
  "95%", // the level of the intervals
  String.raw`(at|below) 0\.\d+`, // a level or a bar that was set
  String.raw`\(strength [\d.]+\)`, // set
  String.raw`[\d.]+ (s|min|h)\b`, // what a stage took, once
  String.raw`[\d.]+ × 10`,
  String.raw`v?\d+\.\d+\.\d+`, // versions
  String.raw`\d{4}-\d\d-\d\dT[\d:.]+Z`,
] as const;

/** Numbers of a page that are no counts and tell no n, and those that tell something else. Counts are exact. */
export async function untoldNumbers(page: Page): Promise<readonly string[]> {
  return page.evaluate(
    ([elements, words]) => {
      const found: string[] = [];
      const exact = new RegExp(words.join("|"), "g");
      const texts = document.createTreeWalker(
        document.querySelector("main")!,
        NodeFilter.SHOW_TEXT,
      );
      for (let node = texts.nextNode(); node !== null; node = texts.nextNode()) {
        const text = node.textContent!;
        if (node.parentElement!.closest(elements.join()) !== null) continue;
        // A line that is told as it is read says it in words.
        if (/\bn [\d,]+, .*: no interval/.test(node.parentElement!.textContent)) continue;
        if (/\d\.\d|\d%|\bp (< )?\d/.test(text.replaceAll(exact, ""))) found.push(text.trim());
      }
      for (const figure of document.querySelectorAll(".figure")) {
        const tip = figure.querySelector(".tip")!.textContent;
        if (!/\d/.test(figure.firstChild?.textContent ?? "")) continue;
        // Of an unrelated behaviour the run keeps no more than its name and a reason.
        if (!/\bn ([\d,]+|stands in the file)/.test(tip)) found.push(`${figure.textContent}: no n`);
      }
      return found;
    },
    [TOLD, EXACT] as const,
  );
}

/** Elements that stick out of the page or are cut, but in boxes that say that they scroll and in the one table whose cells are told below it. */
export async function cutElements(page: Page): Promise<readonly string[]> {
  return page.evaluate(() => {
    const found: string[] = [];
    const { clientWidth } = document.documentElement;
    const isNarrow = clientWidth < 700;
    for (const element of document.body.querySelectorAll("*")) {
      if (element.closest(".skip, .tip, svg, .grid .row") !== null) continue;
      const { left, right, width } = element.getBoundingClientRect();
      if (width === 0) continue;
      const name = `${element.tagName} "${(element.textContent ?? "").slice(0, 60)}"`;
      // On a narrow page no table needs to scroll.
      const scrolls = element.matches(isNarrow ? "pre[tabindex], .grid" : "[tabindex]");
      const isHidden = getComputedStyle(element).overflowX !== "visible";
      if (isHidden && !scrolls && element.scrollWidth > element.clientWidth + 1) {
        found.push(`${name} is cut`);
      }
      // A figure is not broken over lines where that would be hard to read, and may then leave its card.
      const card = element.matches(".figure") ? element.closest(".side, section") : null;
      if (card !== null && right > card.getBoundingClientRect().right + 1) {
        found.push(`${name} sticks out of its card`);
      }
      const isInBox = element.closest(".scroll, pre, .grid") !== null;
      if (!isInBox && (right > clientWidth + 1 || left < -1)) found.push(`${name} sticks out`);
    }
    return found;
  });
}
