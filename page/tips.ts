/**
 * Escape closes the tip that is open, and nothing else hears of it; going to the figure again opens it. One listener for all figures: a tip
 * may be open by the pointer, while the focus is elsewhere.
 */
export function closeTipsByEscape(): void {
  const close = (event: KeyboardEvent): void => {
    if (event.key !== "Escape") return;
    for (const figure of document.querySelectorAll(".figure:is(:hover, :focus):not(.closed)")) {
      event.stopImmediatePropagation();
      figure.classList.add("closed");
      for (const again of ["mouseenter", "focus"]) {
        figure.addEventListener(again, () => figure.classList.remove("closed"), { once: true });
      }
    }
  };
  window.addEventListener("keydown", close, true);
}
