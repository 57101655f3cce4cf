/** @file The ranking as a table of which only the rows in view are drawn. One stop of the tab key; arrows move, Enter opens. */
import { useVirtualizer } from "@tanstack/react-virtual";
import {
  type KeyboardEvent,
  memo,
  type ReactNode,
  type RefObject,
  useEffect,
  useId,
  useState,
} from "react";

import type { PairList, PairQuery, PairRow, PairSort } from "../../../src/report/report-source.ts";
import { addressHref, change, go } from "../../address.ts";
import { Nothing } from "../../components.tsx";
import { count, number, score } from "../../format.ts";
import { useKeys } from "../../keys.ts";

/** Heights of a row in pixels, as style.css lays them out. */
const ROW = { wide: 36, narrow: 60 } as const;
const NARROW = "(max-width: 700px)";
/** Pixels that rows may take, one below the other: Firefox gives what is higher than 17.9 million no height at all. */
const TALLEST = 15_000_000;
/** A key that is held down is written into the address once, at its end. */
const SETTLED_MS = 300;

const COLUMNS: readonly (readonly [title: string, sort: PairSort | undefined])[] = [
  ["Rank", "rank"],
  ["Score", "score"],
  ["Source", "source"],
  ["Prompt", undefined],
  ["Marks", undefined],
];

export function PairGrid({
  list,
  query,
  params,
  sortBy,
  box,
}: {
  readonly list: PairList;
  readonly query: PairQuery;
  readonly params: Readonly<Record<string, string>>;
  readonly sortBy: (sort: PairSort) => void;
  /** The table, for whoever moves the focus into it. */
  readonly box: RefObject<HTMLDivElement | null>;
}): ReactNode {
  const place = useId();
  const [moved, setMoved] = useState<{ readonly list: PairList; readonly at: number }>();
  const height = window.matchMedia(NARROW).matches ? ROW.narrow : ROW.wide;
  const within = (at: number): number => Math.min(Math.max(at, 0), Math.max(0, list.count - 1));
  // Another list begins at its top, unless the address names a row of it.
  const active = moved?.list === list ? moved.at : within(Math.trunc(Number(params["row"]) || 0));
  /** Rows that are one below the other; where there are more, the others are blocks of their own. */
  const block = Math.floor(TALLEST / height);
  const first = active - (active % block);
  const virtual = useVirtualizer({
    count: Math.min(block, list.count - first),
    getScrollElement: () => box.current,
    estimateSize: () => height,
    overscan: 12,
    scrollPaddingStart: 40,
  });
  const drawn = virtual.getVirtualItems();
  const rows = useRows(
    list,
    first + (drawn[0]?.index ?? 0),
    first + (drawn.at(-1)?.index ?? -1) + 1,
  );
  useEffect(() => {
    if (active === first) virtual.scrollToOffset(0);
    else virtual.scrollToIndex(active - first, { align: "center" });
  }, [list, first]);
  useEffect(() => {
    if (moved?.list !== list) return;
    const settle = (): void => change({ row: rowOf(moved.at) }, true);
    const timer = window.setTimeout(settle, SETTLED_MS);
    return () => window.clearTimeout(timer);
  }, [moved, list]);
  const open = (row: PairRow | undefined, at: number): void => {
    if (row === undefined) return;
    const here = { ...params, row: rowOf(at) };
    change(here, true); // where one comes back to
    go(addressHref(["pair", row.id], here));
  };
  /** Also a row that has not come yet. */
  const openAt = async (at: number): Promise<void> => {
    const [row] = await list.rows(at, at + 1);
    open(row, at);
  };
  const to = (next: number): void => {
    const at = within(next);
    setMoved({ list, at });
    // In another block the effect above goes to it, when its rows are there.
    if (at >= first && at < first + block) virtual.scrollToIndex(at - first);
  };
  const press = (event: Pick<KeyboardEvent, "key" | "preventDefault">): void => {
    if (box.current === null) return;
    const page = Math.floor((box.current.clientHeight - 36) / height) - 1;
    const steps: Readonly<Record<string, number>> = {
      ArrowDown: active + 1,
      ArrowUp: active - 1,
      PageDown: active + page,
      PageUp: active - page,
      Home: 0,
      End: list.count - 1,
    };
    if (event.key === "Enter") void openAt(active);
    const next = steps[event.key];
    if (next === undefined) return;
    event.preventDefault();
    to(next);
  };
  useKeys((event) => {
    if (!isOfNobody(event)) return;
    enterGrid(box.current);
    press(event);
  });
  if (list.count === 0) return <Nothing>No pair fits.</Nothing>;
  const at = rows.get(active);
  return (
    <>
      {list.count > block && (
        <div className="tools" role="group" aria-label="Rows">
          {Array.from({ length: Math.ceil(list.count / block) }, (_, i) => (
            <button
              key={i}
              type="button"
              aria-pressed={first === i * block}
              onClick={() => to(i * block)}
            >
              rows {count(i * block + 1)} to {count(Math.min(list.count, (i + 1) * block))}
            </button>
          ))}
        </div>
      )}
      <div
        ref={box}
        className="grid"
        role="grid"
        tabIndex={0}
        aria-label="Pairs"
        aria-rowcount={list.count + 1}
        aria-describedby={place}
        aria-activedescendant={rows.has(active) ? `pair-row-${active}` : undefined}
        onKeyDown={(event) => event.target === box.current && press(event)}
      >
        <div className="row head" role="row" aria-rowindex={1}>
          {COLUMNS.map(([title, sort]) => (
            <span key={title} role="columnheader" aria-sort={sortState(query, sort)}>
              {sort === undefined ? (
                title
              ) : (
                <button type="button" onClick={() => sortBy(sort)}>
                  {title}
                  {query.sort === sort ? (query.isDescending ? " ↓" : " ↑") : ""}
                </button>
              )}
            </span>
          ))}
        </div>
        <div className="body" role="rowgroup" style={{ height: virtual.getTotalSize() }}>
          {drawn.map(({ index: inBlock, start }) => {
            const index = first + inBlock;
            const row = rows.get(index);
            return (
              <div
                key={index}
                id={`pair-row-${index}`}
                className="row"
                role="row"
                aria-rowindex={index + 2}
                aria-selected={index === active}
                style={{ height, transform: `translateY(${start}px)` }}
                onClick={() => open(row, index)}
              >
                {row === undefined ? (
                  <span role="gridcell">…</span>
                ) : (
                  <Cells row={row} method={query.method} />
                )}
              </div>
            );
          })}
        </div>
      </div>
      <p id={place} role="status" className="quiet">
        {at === undefined ? (
          "\u00a0"
        ) : (
          <>
            Row {count(active + 1)}: pair <bdi>{at.id}</bdi>, source{" "}
            <bdi>{at.source ?? "not said"}</bdi>, {tell(at, query.method)}
          </>
        )}
      </p>
    </>
  );
}

/** Moves the focus into the table, and the page no further than it needs to show it. */
export function enterGrid(grid: HTMLElement | null): void {
  grid?.focus({ preventScroll: true });
  grid?.scrollIntoView({ block: "nearest" });
}

/** Whether a key is one of the table's, pressed where nothing else answers it: on the page itself, or an arrow on a link of the menu. */
function isOfNobody({ key, target, repeat }: globalThis.KeyboardEvent): boolean {
  const isArrow = key === "ArrowDown" || key === "ArrowUp";
  if (!isArrow && (key !== "Enter" || repeat)) return false;
  if (!(target instanceof Element) || document.querySelector("dialog[open]") !== null) return false;
  return target.matches(isArrow ? "body, main, nav a" : "body, main");
}

/** The row in the address: the first needs no saying. */
const rowOf = (at: number): string | undefined => (at === 0 ? undefined : String(at));

/** What a row says beside its cells. */
function tell({ norm, places }: PairRow, method: number): string {
  const at = places[method];
  return at?.score === undefined
    ? "without a score"
    : `score ${score(at.score)}, above ${number(at.percentile, 2)}% of the scored pairs, length of its vector ${score(norm)}; n 1, of this pair alone: no interval`;
}

/** Drawn once for a row, however far the table is scrolled. */
const Cells = memo(function Cells({
  row,
  method,
}: {
  readonly row: PairRow;
  readonly method: number;
}): ReactNode {
  const place = row.places[method];
  return (
    <>
      <span role="gridcell">{count(place?.rank)}</span>
      <span role="gridcell" title={tell(row, method)}>
        {score(place?.score)}
      </span>
      <span role="gridcell">{row.source ?? "–"}</span>
      <span role="gridcell">{row.preview === "" ? row.id : row.preview}</span>
      <span role="gridcell">
        {row.flags.map((flag) => (
          <span key={flag} className={`mark ${flag}`}>
            {flag}
          </span>
        ))}
      </span>
    </>
  );
});

function sortState(
  { sort, isDescending }: PairQuery,
  column: PairSort | undefined,
): "ascending" | "descending" | undefined {
  if (sort !== column) return undefined;
  return isDescending ? "descending" : "ascending";
}

/** The rows of a stretch of the list, as far as they have come; a list in memory gives them at once. */
function useRows(list: PairList, start: number, end: number): ReadonlyMap<number, PairRow> {
  const [late, setLate] = useState<{ list: PairList; rows: ReadonlyMap<number, PairRow> }>();
  const found = list.rows(start, end);
  const isLate = found instanceof Promise;
  useEffect(() => {
    if (!isLate) return;
    let isWanted = true;
    const show = async (): Promise<void> => {
      const come = numbered(await found, start);
      if (isWanted) setLate({ list, rows: come });
    };
    // What did not come stays a row of dots; going there again asks again.
    show().catch(() => {});
    return () => {
      isWanted = false;
    };
  }, [list, start, end, isLate]);
  if (!isLate) return numbered(found, start);
  // Of the rows that are in view now, those that had come before.
  return late?.list === list ? late.rows : new Map();
}

const numbered = (rows: readonly PairRow[], start: number): ReadonlyMap<number, PairRow> =>
  new Map(rows.map((row, i) => [start + i, row]));
