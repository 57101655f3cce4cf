/** @file The small parts that all panels use. */
import { type ReactNode, useId } from "react";

import type { ToldSentence } from "../src/report/told-sentence.ts";
import { useSwitch } from "./address.ts";
import type { Loaded } from "./use-loaded.ts";

/** Shows what is there of something asked for. */
export function Await<T>({
  of,
  children,
}: {
  readonly of: Loaded<T>;
  readonly children: (value: T) => ReactNode;
}): ReactNode {
  switch (of.kind) {
    case "loading":
      return <p className="quiet">Loading …</p>;
    case "failed":
      return (
        <p role="alert" className="fault">
          {of.message}
        </p>
      );
    case "ready":
      return children(of.value);
  }
}

/** A part of a page with its heading. */
export function Section({
  title,
  children,
}: {
  readonly title: ReactNode;
  readonly children: ReactNode;
}): ReactNode {
  const id = useId();
  return (
    <section aria-labelledby={id}>
      <h2 id={id}>{title}</h2>
      {children}
    </section>
  );
}

/** A figure that tells its interval and n on hover and to the keyboard. */
export function Figure({
  children,
  tells,
}: {
  readonly children: ReactNode;
  readonly tells: string;
}): ReactNode {
  const id = useId();
  return (
    <span className="figure" tabIndex={0} role="note" aria-describedby={id}>
      {children}
      <span role="tooltip" id={id} className="tip">
        {tells}
      </span>
    </span>
  );
}

/** A sentence whose figures tell their intervals and n. */
export function Sentence({ of: { sentence, figures } }: { readonly of: ToldSentence }): ReactNode {
  let at = 0;
  const parts = figures.map(({ text, tells }, i) => {
    const from = sentence.indexOf(text, at);
    const before = sentence.slice(at, from);
    at = from + text.length;
    return (
      <span key={i}>
        {before}
        <Figure tells={tells}>{text}</Figure>
      </span>
    );
  });
  return (
    <>
      {parts}
      {sentence.slice(at)}
    </>
  );
}

/** Numbers that are no counts, an interval behind one with it: p, decimals, shares. */
const NUMBERS = /(\bp (?:< )?[\d.]+|(?:[−+-]?\d[\d,]*\.\d+%?|\d+%)(?: \[[−+\d.,% -]+\])?)/;

/** A sentence whose numbers tell the same, but for those with an interval behind them: these tell it, and `n`. */
export const Figures = ({
  children,
  tells,
  n = tells,
}: {
  readonly children: string;
  readonly tells: string;
  readonly n?: string;
}): ReactNode =>
  children.split(NUMBERS).map((text, i) => {
    const around = /\[.*\]/.exec(text)?.[0];
    return i % 2 === 0 ? (
      text
    ) : (
      <Figure key={i} tells={around === undefined ? tells : `95% ${around}, ${n}`}>
        {text}
      </Figure>
    );
  });

/** A figure of one pair. */
export const OfOne = ({ children }: { readonly children: ReactNode }): ReactNode => (
  <Figure tells="of this pair alone, n 1: measured, not estimated, so without an interval">
    {children}
  </Figure>
);

/** A table that scrolls by itself where it is too wide; on a narrow page each row is a list, and its roles say that it is a table still. */
export function Table({
  caption,
  head,
  rows,
}: {
  readonly caption: string;
  readonly head: readonly ReactNode[];
  readonly rows: readonly (readonly ReactNode[])[];
}): ReactNode {
  return (
    <>
      <p className="caption">{caption}</p>
      <div className="scroll" tabIndex={0} role="region" aria-label={caption}>
        <table role="table" aria-label={caption}>
          <thead role="rowgroup">
            <tr role="row">
              {head.map((cell, i) => (
                <th key={i} role="columnheader" scope="col">
                  {cell}
                </th>
              ))}
            </tr>
          </thead>
          <tbody role="rowgroup">
            {rows.map((cells, i) => (
              <tr key={i} role="row">
                {cells.map((cell, j) =>
                  j === 0 ? (
                    <th key={j} role="rowheader" scope="row">
                      {cell}
                    </th>
                  ) : (
                    <td key={j} role="cell">
                      <span className="head">{head[j]}: </span>
                      {cell}
                    </td>
                  ),
                )}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
}

/** What opens under its summary; the address says whether it is open. */
export function Fold({
  name,
  summary,
  isOpen = false,
  children,
}: {
  /** In the address, another one for each fold of a page. */
  readonly name: string;
  readonly summary: ReactNode;
  /** Also where the address does not say so. */
  readonly isOpen?: boolean;
  readonly children: ReactNode;
}): ReactNode {
  const [isSaid, flip] = useSwitch("open", name);
  return (
    <details
      open={isSaid || isOpen}
      // Also when the browser opens it to show what it has found.
      onToggle={({ currentTarget }) => !isOpen && currentTarget.open !== isSaid && flip()}
    >
      <summary>{summary}</summary>
      {children}
    </details>
  );
}

/** Words and what they say, side by side. */
export function Facts({
  of,
}: {
  readonly of: readonly (readonly [ReactNode, ReactNode])[];
}): ReactNode {
  return (
    <dl className="facts">
      {of.map(([name, value], i) => (
        <div key={i}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

/** Why there is nothing to see, and what would make it. */
export function Nothing({ children }: { readonly children: ReactNode }): ReactNode {
  return <p className="quiet">{children}</p>;
}
