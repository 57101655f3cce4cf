/** @file The colours of charts, light and dark; each against its paper has a contrast of 3 at least, text of 4.5. */

export interface Palette {
  readonly paper: string;
  readonly ink: string;
  readonly muted: string;
  readonly grid: string;
  /** What was not edited: before and baseline. */
  readonly plain: string;
  /** Chosen by the ranking. */
  readonly chosen: string;
  /** Random pairs, null directions. */
  readonly random: string;
  /** Known to cause the behaviour, or a source above its share. */
  readonly planted: string;
}

export const PALETTES: { readonly light: Palette; readonly dark: Palette } = {
  light: {
    paper: "#ffffff",
    ink: "#1c2126",
    muted: "#57606a",
    grid: "#d5dae0",
    plain: "#57606a",
    chosen: "#0b5fb8",
    random: "#a85b00",
    planted: "#a3195b",
  },
  dark: {
    paper: "#161b22",
    ink: "#e6e9ec",
    muted: "#a4adb7",
    grid: "#39414b",
    plain: "#a4adb7",
    chosen: "#6cb2ff",
    random: "#f0a94b",
    planted: "#ff86b7",
  },
};
