/** @file Colours that a number or a name gives, on the paper of the theme. */
import type { Palette } from "./palette.ts";

/** Names that have a colour of their own; the others share the muted one. */
export const NAMED_COLORS = 8;

/** From the paper to one colour upwards and to another downwards, `share` from -1 to 1: red, green, blue of 255 each. */
export function divergingColor(
  { paper, chosen, random }: Palette,
  share: number,
): [number, number, number] {
  const end = share < 0 ? random : chosen;
  const part = (from: string, i: number): number => parseInt(from.slice(2 * i + 1, 2 * i + 3), 16);
  const mix = (i: number): number =>
    part(paper, i) + (part(end, i) - part(paper, i)) * Math.min(1, Math.abs(share));
  return [mix(0), mix(1), mix(2)];
}

/** The colour of the i-th of some names; hues 135° apart, so that the eight are all different and neighbours unlike. */
export const namedColor = ({ paper, muted }: Palette, i: number): string =>
  i < 0 || i >= NAMED_COLORS
    ? muted
    : `hsl(${i * 135 + 210} 65% ${paper === "#ffffff" ? 33 : 70}%)`;
