import { type ReactNode, useRef } from "react";

import { Facts } from "./components.tsx";
import { useKeys, useSingleKeys } from "./keys.ts";
import type { Panel } from "./panels/panel.ts";

/** Of the pages in the order of the menu; the tenth has 0, as on the keyboard. */
export const MENU_KEYS: readonly string[] = "1234567890".split("");

/** The button and the key that show all keys. */
export function KeyHelp({
  listed,
  hasReview,
}: {
  readonly listed: readonly Panel[];
  readonly hasReview: boolean;
}): ReactNode {
  const dialog = useRef<HTMLDialogElement>(null);
  const [isOn, flip] = useSingleKeys();
  useKeys(({ key }) => key === "?" && dialog.current?.showModal());
  return (
    <>
      <button type="button" onClick={() => dialog.current?.showModal()}>
        Keys
      </button>
      <dialog ref={dialog} aria-label="Keys">
        <h2>Keys</h2>
        <Facts
          of={[
            ...listed
              .slice(0, MENU_KEYS.length)
              .map(({ title }, i) => [<kbd key="k">{MENU_KEYS[i]}</kbd>, title] as const),
            [<kbd key="k">/</kbd>, "search the pairs"],
            [
              <kbd key="k">↑ ↓ Home End</kbd>,
              "move in the table of pairs or between the points of a chart",
            ],
            [<kbd key="k">Enter</kbd>, "open the pair"],
            [<kbd key="k">j k</kbd>, "next and previous pair"],
            [<kbd key="k">Esc</kbd>, "from a pair back to the table"],
            ...(hasReview
              ? ([
                  [<kbd key="k">a d s f</kbd>, "in the review: keep, drop, swap, unsure"],
                  [
                    <kbd key="k">u</kbd>,
                    "in the review: take the last decision back; after a reload, that on the pair shown and no other",
                  ],
                  [<kbd key="k">n</kbd>, "in the review: the next pair without a decision"],
                  [<kbd key="k">e</kbd>, "in the review: write a note; Esc leaves it"],
                ] as const)
              : []),
            [<kbd key="k">?</kbd>, "these keys"],
          ]}
        />
        <p>
          <label>
            <input type="checkbox" checked={isOn} onChange={flip} /> Single keys work: letters,
            digits, / and ?
          </label>
        </p>
        <form method="dialog">
          <button type="submit">Close</button>
        </form>
      </dialog>
    </>
  );
}
