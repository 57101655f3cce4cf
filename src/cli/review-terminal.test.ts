import { PassThrough } from "node:stream";

import { describe, expect, it } from "vitest";

import { openTerminal } from "./review-terminal.ts";

function terminal(): {
  readonly stdin: PassThrough & { isTTY: boolean; setRawMode(isRaw: boolean): void };
  readonly raw: boolean[];
  readonly stderr: { isTTY: boolean; write(text: string): void };
} {
  const raw: boolean[] = [];
  const stdin = Object.assign(new PassThrough(), {
    isTTY: true,
    setRawMode: (isRaw: boolean) => void raw.push(isRaw),
  });
  return { stdin, raw, stderr: { isTTY: true, write: () => {} } };
}

describe("openTerminal", () => {
  it("gives keys one by one that were typed before anybody asked, and come as one text", async () => {
    const streams = terminal();
    streams.stdin.write("yn\u001b[Aé");
    using screen = openTerminal(streams);
    const keys = [];
    for (let i = 0; i < 4; i++) keys.push(await screen.key());
    expect(keys).toEqual(["y", "n", "\u001b[A", "é"]);
    streams.stdin.write("\u0003");
    expect(await screen.key()).toBe("\u0003");
    streams.stdin.end();
    expect(await screen.key()).toBeUndefined();
  });

  it("ends like its input where the command is stopped", async () => {
    const abort = new AbortController();
    using screen = openTerminal(terminal(), abort.signal);
    const key = screen.key();
    abort.abort();
    expect(await key).toBeUndefined();
  });

  it("leaves the terminal as it was", () => {
    const streams = terminal();
    openTerminal(streams)[Symbol.dispose]();
    expect(streams.raw).toEqual([true, false]);
    expect(streams.stdin.listenerCount("keypress")).toBe(0);
  });

  it("wants a terminal", () => {
    const streams = terminal();
    streams.stdin.isTTY = false;
    expect(() => openTerminal(streams)).toThrow(/review: expected a terminal/);
  });
});
