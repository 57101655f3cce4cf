/** Where a long job reports how far it is. Implementations decide how (or whether) to show it. */
export interface Progress {
  /** `done` of `total` units finished so far; `total` undefined while unknown. */
  update(done: number, total: number | undefined): void;
  /** One line of news that stays visible. */
  note(line: string): void;
  /** The job ended, well or not: leave the terminal clean. */
  end(): void;
}

/** Options every long job takes. */
export interface JobOptions {
  readonly signal?: AbortSignal | undefined;
  readonly progress?: Progress | undefined;
}

/** Shows nothing. */
export const silentProgress: Progress = { update: () => {}, note: () => {}, end: () => {} };

/** Progress of a part of a job: `place` says where its counts stand in the whole, whose end is not the part's. */
export function partOf(
  whole: Progress | undefined,
  place: (done: number, total: number | undefined) => readonly [number, number | undefined],
): Progress | undefined {
  if (whole === undefined) return undefined;
  const update = (done: number, total: number | undefined): void =>
    whole.update(...place(done, total));
  return { update, note: (line) => whole.note(line), end: () => {} };
}
