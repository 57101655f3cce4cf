/**
 * Hashes of the style elements that Observable Plot puts into a chart (0.6.17, with the class name of chart.tsx), by which the page's policy
 * allows them. page/page.test.ts fails where they are others.
 */
export const PLOT_STYLE_HASHES: readonly string[] = [
  "'sha256-j5XqHLTlHSTng8ZUvhN7xV3deeCLonAJLau2W9LqhkY='",
];
