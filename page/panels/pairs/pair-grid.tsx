/** @file The ranking as a table of which only the rows in view are drawn. One stop of the tab key; arrows move, Enter opens. */
import { useVirtualizer } from "@tanstack/react-virtual";
import {
  type KeyboardEvent,
  memo,
  type ReactNode,
  useEffect,
  useId,
  useRef,
  useState,
} from "react";

import type { PairList, PairQuery, PairRow, PairSort } from "../../../src/report/report-source.ts";
import { addressHref, change, go } from "../../address.ts";
import { Nothing } from "../../components.tsx";
import { count, number, score } from "../../format.ts";

/** Heights of a row in pixels, as style.css lays them out. */
const ROW = { wide: 36, narrow: 60 } as const;
const NARROW = "(max-width: 700px)";

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
}: {
  readonly list: PairList;
  readonly query: PairQuery;
  readonly params: Readonly<Record<string, string>>;
  readonly sortBy: (sort: PairSort) => void;
}): ReactNode {
  const box = useRef<HTMLDivElement>(null);
  const place = useId();
  const [active, setActive] = useState(0);
  const height = window.matchMedia(NARROW).matches ? ROW.narrow : ROW.wide;
  const virtual = useVirtualizer({
    count: list.count,
    getScrollElement: () => box.current,
    estimateSize: () => height,
    overscan: 12,
    scrollPaddingStart: 40,
  });
  const drawn = virtual.getVirtualItems();
  const rows = useRows(list, drawn[0]?.index ?? 0, (drawn.at(-1)?.index ?? -1) + 1);
  useEffect(() => {
    // Another list begins at its top, unless one comes back to a row of it.
    const at = Math.min(Number(params["row"]) || 0, Math.max(0, list.count - 1));
    setActive(at);
    if (at === 0) virtual.scrollToOffset(0);
    else virtual.scrollToIndex(at, { align: "center" });
  }, [list]);
  if (list.count === 0) return <Nothing>No pair fits.</Nothing>;
  const open = (row: PairRow | undefined, at: number): void => {
    if (row === undefined) return;
    const here = { ...params, row: at === 0 ? undefined : String(at) };
    change(here, true); // where one comes back to
    go(addressHref(["pair", row.id], here));
  };
  /** Also a row that has not come yet. */
  const openAt = async (at: number): Promise<void> => {
    const [row] = await list.rows(at, at + 1);
    open(row, at);
  };
  const press = (event: KeyboardEvent): void => {
    if (event.target !== box.current) return;
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
    const at = Math.min(Math.max(next, 0), list.count - 1);
    setActive(at);
    virtual.scrollToIndex(at);
  };
  const at = rows.get(active);
  return (
    <>
      <div
        ref={box}
        className="grid"
        role="grid"
        tabIndex={0}
        aria-label="Pairs"
        aria-rowcount={list.count + 1}
        aria-describedby={place}
        aria-activedescendant={rows.has(active) ? `pair-row-${active}` : undefined}
        onKeyDown={press}
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
          {drawn.map(({ index, start }) => {
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
        {at === undefined ? "\u00a0" : `Row ${count(active + 1)}: ${tell(at, query.method)}`}
      </p>
    </>
  );
}

/** What a row says beside its cells. */
function tell({ id, source, norm, places }: PairRow, method: number): string {
  const at = places[method];
  return at?.score === undefined
    ? `pair ${id}, source ${source ?? "not said"}, without a score`
    : `pair ${id}, source ${source ?? "not said"}, score ${score(at.score)}, above ${number(at.percentile, 2)}% of the scored pairs, length of its vector ${score(norm)}; n 1, of this pair alone: no interval`;
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
