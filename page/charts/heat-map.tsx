/** @file A matrix in the order of two trees, which stand beside it. One stop of the tab key, between whose cells the arrows go. */
import { type KeyboardEvent, type ReactNode, useEffect, useMemo, useRef, useState } from "react";

import { number } from "../format.ts";
import { usePalette } from "../theme.tsx";
import { ChartFrame } from "./chart-frame.tsx";
import { divergingColor } from "./colors.ts";
import { dendrogram, type DrawnTree } from "./dendrogram.ts";
import type { Palette } from "./palette.ts";

/** Items along one side. */
export interface HeatSide {
  readonly ids: readonly string[];
  readonly clusters: readonly number[];
  readonly tree: DrawnTree;
}

export interface HeatMapProps {
  readonly title: string;
  /** How to read it. */
  readonly children: ReactNode;
  readonly rows: HeatSide;
  readonly columns: HeatSide;
  /** Rows of -99 to 99, which is `largest`. */
  readonly cells: readonly (readonly number[])[];
  readonly largest: number;
  /** The cluster of rows that is marked. */
  readonly selected: number | undefined;
  readonly select: (cluster: number) => void;
  /** Opens a column's item. */
  readonly open: (id: string) => void;
}

const HEIGHT = 420;
const TREE = 56;
/** Cells that its table shows. */
const SHOWN = 200;
/** Between the trees and the cells: the mark of the selected cluster. */
const GAP = 8;

export function HeatMap(props: HeatMapProps): ReactNode {
  const { title, children, rows, columns, cells, largest, selected, select, open } = props;
  const palette = usePalette();
  const image = useMemo(() => cellsImage(props, palette), [cells, palette]);
  const canvas = useRef<HTMLCanvasElement>(null);
  const [width, setWidth] = useState(0);
  const [[i, j], setCell] = useState<readonly [number, number]>([0, 0]);
  useEffect(() => {
    const observer = new ResizeObserver(([entry]) => setWidth(entry!.contentRect.width));
    observer.observe(canvas.current!.parentElement!); // drawn below
    return () => observer.disconnect();
  }, []);
  const [n, m] = [rows.ids.length, columns.ids.length];
  const start = TREE + GAP;
  const [wide, high] = [width - start, HEIGHT - start];
  useEffect(() => {
    const context = canvas.current?.getContext("2d");
    if (context == null || wide <= 0) return;
    const ratio = window.devicePixelRatio;
    canvas.current!.width = width * ratio;
    canvas.current!.height = HEIGHT * ratio;
    context.scale(ratio, ratio);
    context.imageSmoothingEnabled = wide < m || high < n;
    context.drawImage(image, start, start, wide, high);
    context.strokeStyle = palette.muted;
    drawTree(context, columns.tree, (across, up) => [
      start + (across / m) * wide,
      TREE - up * (TREE - 2),
    ]);
    drawTree(context, rows.tree, (across, up) => [
      TREE - up * (TREE - 2),
      start + (across / n) * high,
    ]);
    context.fillStyle = palette.planted;
    for (const [at, row] of rows.tree.leafOrder.entries()) {
      if (rows.clusters[row] !== selected) continue;
      context.fillRect(TREE + 1, start + (at / n) * high, GAP - 2, Math.max(1, high / n));
    }
    context.strokeStyle = palette.ink;
    context.lineWidth = 2;
    context.strokeRect(
      start + (j / m) * wide - 2,
      start + (i / n) * high - 2,
      wide / m + 4,
      high / n + 4,
    );
  }, [image, selected, width, i, j]);
  const cosine = (at: number, of: number): number => ((cells[at]?.[of] ?? 0) / 99) * largest;
  const [row, column] = [rows.tree.leafOrder[i]!, columns.tree.leafOrder[j]!];
  const move = (down: number, right: number): void =>
    setCell([clamp(i + down, n), clamp(j + right, m)]);
  const press = (event: KeyboardEvent): void => {
    const step = event.shiftKey ? 10 : 1;
    const to = {
      ArrowDown: () => move(step, 0),
      ArrowUp: () => move(-step, 0),
      ArrowRight: () => move(0, step),
      ArrowLeft: () => move(0, -step),
      Enter: () => open(columns.ids[column]!),
      " ": () => select(rows.clusters[row]!),
    }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    to();
  };
  return (
    <ChartFrame
      title={title}
      about={children}
      head={["prompt", "its cluster", "pair", "its cluster of pairs", "cosine"]}
      cells={() =>
        rows.tree.leafOrder.flatMap((at) =>
          columns.tree.leafOrder.map((of) => [
            rows.ids[at],
            rows.clusters[at],
            columns.ids[of],
            columns.clusters[of],
            cosine(at, of),
          ]),
        )
      }
      most={SHOWN}
      picture={wide > 0 ? () => pictureOf(canvas.current!, width) : undefined} // drawn
    >
      <div
        className="heat"
        role="application"
        aria-label={`${title}: arrows go from cell to cell, space selects the row's cluster, Enter opens the column's pair`}
        tabIndex={0}
        onKeyDown={press}
      >
        <canvas
          ref={canvas}
          aria-hidden
          onPointerMove={({ nativeEvent: { offsetX, offsetY } }) => {
            if (offsetX < start || offsetY < start) return;
            setCell([
              clamp(Math.floor(((offsetY - start) / high) * n), n),
              clamp(Math.floor(((offsetX - start) / wide) * m), m),
            ]);
          }}
          onClick={() => select(rows.clusters[row]!)}
        />
      </div>
      <p role="status">
        Prompt <bdi>{rows.ids[row]}</bdi> (cluster {rows.clusters[row]}), pair{" "}
        <bdi>{columns.ids[column]}</bdi> (cluster {columns.clusters[column]}): cosine{" "}
        {number(cosine(row, column))}; n 1, of these two alone: no interval
      </p>
    </ChartFrame>
  );
}

const clamp = (at: number, count: number): number => Math.max(0, Math.min(count - 1, at));

/** The canvas in a picture as charts are saved. */
function pictureOf(canvas: HTMLCanvasElement, width: number): SVGSVGElement {
  const make = <N extends "svg" | "image">(name: N, set: object): SVGElementTagNameMap[N] => {
    const made = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(set)) made.setAttribute(key, String(value));
    return made;
  };
  const svg = make("svg", { viewBox: `0 0 ${width} ${HEIGHT}` });
  svg.append(make("image", { width, height: HEIGHT, href: canvas.toDataURL() }));
  return svg;
}

/** One pixel a cell. */
function cellsImage({ rows, columns, cells }: HeatMapProps, palette: Palette): OffscreenCanvas {
  const [n, m] = [rows.ids.length, columns.ids.length];
  const image = new ImageData(m, n);
  const colors = Array.from({ length: 199 }, (_, at) => divergingColor(palette, (at - 99) / 99));
  for (const [i, row] of rows.tree.leafOrder.entries()) {
    for (const [j, column] of columns.tree.leafOrder.entries()) {
      const at = 4 * (i * m + j);
      image.data.set(colors[cells[row]![column]! + 99]!, at);
      image.data[at + 3] = 255;
    }
  }
  const drawn = new OffscreenCanvas(m, n);
  drawn.getContext("2d")!.putImageData(image, 0, 0); // of no other kind before
  return drawn;
}

function drawTree(
  context: CanvasRenderingContext2D,
  tree: DrawnTree,
  to: (across: number, up: number) => readonly [number, number],
): void {
  context.beginPath();
  for (const { across, from, up } of dendrogram(tree)) {
    context.moveTo(...to(across[0], from[0]));
    context.lineTo(...to(across[0], up));
    context.lineTo(...to(across[1], up));
    context.lineTo(...to(across[1], from[1]));
  }
  context.stroke();
}
