/**
 * @file The one chart of the page: draws with Observable Plot, makes its points reachable by keyboard, and saves it. What a chart shows
 * stands beneath it as a table too.
 */
import { plot, type PlotOptions } from "@observablehq/plot";
import { type ReactNode, useEffect, useRef, useState } from "react";

import { Nothing } from "../components.tsx";
import { usePalette } from "../theme.tsx";
import { ChartFrame } from "./chart-frame.tsx";
import type { Palette } from "./palette.ts";

/** One column of a chart's data: for its table and its CSV file. */
export type Columns<R> = Readonly<Record<string, (row: R) => string | number | undefined>>;

export interface ChartProps<R> {
  readonly title: string;
  /** See ChartFrame. */
  readonly name?: string | undefined;
  /** How to read it, one or two sentences. */
  readonly children?: ReactNode;
  readonly rows: readonly R[];
  readonly columns: Columns<R>;
  /** Opens what a point stands for, by its place among the points. */
  readonly open?: ((at: number) => void) | undefined;
  /** The marks; those with an `ariaLabel` are points that tell it. */
  readonly draw: (view: { readonly width: number; readonly palette: Palette }) => PlotOptions;
}

/** What a point tells stays so long after the pointer has left it. */
const LEAVE_MS = 300;

/** Draws the chart, or says that there is nothing to draw. */
export function Chart<R>(props: ChartProps<R>): ReactNode {
  if (props.rows.length > 0) return <Drawn {...props} />;
  return <Nothing>{props.title}: it could not be computed.</Nothing>;
}

function Drawn<R>({ title, name, children, rows, columns, draw, open }: ChartProps<R>): ReactNode {
  const palette = usePalette();
  const box = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(0);
  const [isDrawn, setDrawn] = useState(false);
  const [told, setTold] = useState<{ text: string; x: number; y: number }>();
  const leaving = useRef<number>(undefined);
  const stay = (): void => window.clearTimeout(leaving.current);
  /** A moment later, so that the pointer can go to what is told. */
  const leave = (): void => {
    stay();
    leaving.current = window.setTimeout(() => setTold(undefined), LEAVE_MS);
  };
  useEffect(() => {
    if (told === undefined) return;
    const close = (event: KeyboardEvent): void => {
      if (event.key !== "Escape") return;
      event.stopImmediatePropagation(); // it closes this and nothing else
      setTold(undefined);
    };
    window.addEventListener("keydown", close, true);
    return () => window.removeEventListener("keydown", close, true);
  }, [told]);
  useEffect(() => {
    const element = box.current!; // drawn below
    const observer = new ResizeObserver(() => setWidth(Math.floor(element.clientWidth)));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  useEffect(() => {
    const element = box.current!; // drawn below
    if (width === 0) return;
    const drawn = plot({
      width,
      className: "culprit-plot",
      style: {
        background: "transparent",
        color: palette.ink,
        fontSize: "12px",
        overflow: "visible",
      },
      ...draw({ width, palette }),
    });
    // Drawn again, say since the address has changed: who was at a point stays at it.
    const before = element.querySelector("svg");
    const focused = before === null ? -1 : pointsOf(before).findIndex(isFocused);
    const points = prepare(drawn, title, {
      stop: focused,
      open,
      tell: (text, point) => {
        if (point === undefined) return leave();
        stay();
        const [at, frame] = [point.getBoundingClientRect(), element.getBoundingClientRect()];
        setTold({ text, x: at.left - frame.left + at.width / 2, y: at.top - frame.top });
      },
    });
    before?.remove();
    element.append(drawn);
    points[focused]?.focus();
    setDrawn(true);
  }, [width, palette, rows]);
  return (
    <ChartFrame
      title={title}
      name={name}
      about={children}
      head={Object.keys(columns)}
      cells={() => rows.map((row) => Object.values(columns).map((cell) => cell(row)))}
      picture={isDrawn ? () => box.current!.querySelector("svg")! : undefined} // drawn
    >
      <div className="plot" ref={box}>
        {told !== undefined && (
          <span
            className="told"
            role="status"
            onMouseEnter={stay}
            onMouseLeave={leave}
            style={{
              left: Math.min(Math.max(told.x, 110), Math.max(width - 110, 110)),
              top: told.y,
            }}
          >
            {told.text}
          </span>
        )}
      </div>
    </ChartFrame>
  );
}

const isFocused = (point: Element): boolean => point === document.activeElement;

const pointsOf = (drawn: Element): SVGElement[] => [
  ...drawn.querySelectorAll<SVGElement>("[aria-label]:not(g)"),
];

/** Names the groups, and makes one stop of the tab key of the points, between which the arrows go. Gives the points. */
function prepare(
  drawn: Element,
  title: string,
  {
    stop,
    tell,
    open,
  }: {
    /** The point that the tab key goes to; the first one where there is none at this place. */
    readonly stop: number;
    readonly tell: (text: string, point: Element | undefined) => void;
    readonly open: ((at: number) => void) | undefined;
  },
): readonly SVGElement[] {
  drawn.setAttribute("role", "group");
  drawn.setAttribute("aria-label", title);
  for (const group of drawn.querySelectorAll("g[aria-label]")) group.setAttribute("role", "group");
  const points = pointsOf(drawn);
  const reached = points[stop] === undefined ? 0 : stop;
  for (const [i, point] of points.entries()) {
    const text = point.getAttribute("aria-label")!; // selected by it
    point.setAttribute("role", "img");
    point.setAttribute("tabindex", i === reached ? "0" : "-1");
    point.classList.add("point");
    for (const name of ["mouseenter", "focus"]) {
      point.addEventListener(name, () => tell(text, point));
    }
    for (const name of ["mouseleave", "blur"]) {
      point.addEventListener(name, () => tell(text, undefined));
    }
    point.addEventListener("click", () => open?.(i));
    point.addEventListener("keydown", (event) => {
      if (event.key === "Enter") open?.(i);
      const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
      const next = step === undefined ? undefined : points[i + step];
      if (next === undefined) return;
      event.preventDefault();
      point.setAttribute("tabindex", "-1");
      next.setAttribute("tabindex", "0");
      next.focus();
    });
  }
  return points;
}

/** Room for the longest of some labels at the left, in pixels. */
export function roomFor(labels: readonly string[], width: number): number {
  const longest = Math.max(0, ...labels.map((label) => label.length));
  return Math.min(Math.ceil(longest * 6.9) + 16, Math.floor(width * 0.5));
}

/** A label that fits into a chart, on a line of its own where the chart is narrow. */
export function fitted(label: string, width: number): string {
  return cutTo(label, Math.floor((width < 480 ? width - 30 : width * 0.5 - 16) / 6.9));
}

/** At most so many letters. */
export const cutTo = (label: string, letters: number): string =>
  label.length <= letters ? label : `${label.slice(0, letters - 1)}…`;
