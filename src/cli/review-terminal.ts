import { ConfigError } from "../index.ts";
import type { ReviewScreen } from "./review-session.ts";

/** The terminal, one key at a time, on stderr: stdout is for the result. Throws ConfigError where there is none. */
export function openTerminal(): ReviewScreen & Disposable {
  const { stdin, stderr } = process;
  if (!stdin.isTTY || !stderr.isTTY) {
    throw new ConfigError("--review: expected a terminal to ask in, got none", {
      hint: "Label rollouts elsewhere and give the file with --labels.",
    });
  }
  stdin.setRawMode(true).setEncoding("utf8").resume();
  const waiting: ((key: string | undefined) => void)[] = [];
  const typed: (string | undefined)[] = [];
  const onKey = (text: string | undefined): void => {
    const next = waiting.shift();
    if (next === undefined) typed.push(text);
    else next(text);
  };
  const onEnd = (): void => onKey(undefined);
  stdin.on("data", onKey).on("end", onEnd);
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
      stdin.off("data", onKey).off("end", onEnd).setRawMode(false).pause();
    },
  };
}
