import { emitKeypressEvents, type Key } from "node:readline";
import type { Readable } from "node:stream";

import { ConfigError } from "../util/errors.ts";
import type { ReviewScreen } from "./review-session.ts";

/** What a terminal is made of, `process` or a test's. */
export interface TerminalStreams {
  readonly stdin: Readable & {
    readonly isTTY?: boolean | undefined;
    setRawMode(isRaw: boolean): unknown;
  };
  readonly stderr: {
    readonly isTTY?: boolean | undefined;
    readonly columns?: number | undefined;
    readonly rows?: number | undefined;
    write(text: string): unknown;
  };
}

/**
 * The terminal, one key at a time, on stderr: stdout is for the result. Keys wait until they are asked for, those too that were typed
 * before it opened and come as one text. An aborted signal is like the end of the input. Throws ConfigError where there is none.
 */
export function openTerminal(
  streams: TerminalStreams = process,
  signal?: AbortSignal,
): ReviewScreen & Disposable {
  const { stdin, stderr } = streams;
  if (stdin.isTTY !== true || stderr.isTTY !== true) {
    throw new ConfigError("review: expected a terminal to ask in, got none", {
      hint: "Label rollouts elsewhere and give the file with --labels.",
    });
  }
  const waiting: ((key: string | undefined) => void)[] = [];
  const typed: (string | undefined)[] = [];
  const enter = (key: string | undefined): void => {
    const next = waiting.shift();
    if (next === undefined) typed.push(key);
    else next(key);
  };
  const onKey = (_: string | undefined, { sequence }: Key): void => enter(sequence ?? "");
  const onEnd = (): void => enter(undefined);
  signal?.addEventListener("abort", onEnd, { once: true });
  stdin.setRawMode(true);
  emitKeypressEvents(stdin);
  stdin.on("keypress", onKey).on("end", onEnd).resume();
  return {
    get columns() {
      return stderr.columns || 80; // some terminals do not say
    },
    get rows() {
      return stderr.rows || 24;
    },
    write: (text) => void stderr.write(text),
    key: () =>
      typed.length > 0
        ? Promise.resolve(typed.shift())
        : new Promise((resolve) => void waiting.push(resolve)),
    [Symbol.dispose]() {
      signal?.removeEventListener("abort", onEnd);
      stdin.off("keypress", onKey).off("end", onEnd).pause();
      stdin.setRawMode(false);
    },
  };
}
