/** `chosen` as a word of a column's name: `chosen`, `chosen_model`, `score-chosen`, `chosenModel`, `ratingChosen`; public data misspell it. */
const SIDE_WORD =
  /(?<![A-Za-z])(?:chosen|chonsen|choosen|chossen)(?![a-z])|(?<![A-Z])Chosen(?![a-z])/;

/** Two columns that say the same of either side. */
export interface SideColumns {
  readonly chosen: string;
  readonly rejected: string;
}

/**
 * Shape.swap of shapes that call the sides chosen and rejected: a name with the word `chosen` whose twin with `rejected` is a column too, as in
 * `chosen_model` and `rejected_model`. A column that has the word but no twin says something of the pair and stays.
 */
export function findSideColumns(columns: readonly string[]): readonly SideColumns[] {
  const known = new Set(columns);
  return columns.flatMap((chosen) => {
    const rejected = chosen.replace(SIDE_WORD, (word) =>
      word === "Chosen" ? "Rejected" : "rejected",
    );
    return rejected !== chosen && known.has(rejected) ? [{ chosen, rejected }] : [];
  });
}

/** The record with the values of side columns exchanged, in the order of its keys; what only one side has moves to the other. */
export function exchangeSides<T>(
  record: Readonly<Record<string, T>>,
  sides: readonly SideColumns[],
): Readonly<Record<string, T>> {
  const twins = new Map(
    sides.flatMap(({ chosen, rejected }): [string, string][] => [
      [chosen, rejected],
      [rejected, chosen],
    ]),
  );
  return Object.fromEntries(
    Object.entries(record).map(([name, value]) => {
      const twin = twins.get(name);
      if (twin === undefined) return [name, value];
      return Object.hasOwn(record, twin) ? [name, record[twin]!] : [twin, value];
    }),
  );
}
