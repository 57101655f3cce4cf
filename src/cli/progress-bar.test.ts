import { describe, expect, it } from "vitest";

import { createProgressBar } from "./progress-bar.ts";

function start(isTTY: boolean) {
  let nowMs = 5000;
  let text = "";
  const progress = createProgressBar({
    label: "embed",
    unit: "pairs",
    stream: { write: (part) => (text += part), isTTY },
    nowMs: () => nowMs,
  });
  return {
    update: (done: number, total: number | undefined) => progress.update(done, total),
    note: (line: string) => progress.note(line),
    end: () => progress.end(),
    wait: (ms: number) => void (nowMs += ms),
    /** What was written since the last look. */
    look: () => {
      const seen = text;
      text = "";
      return seen;
    },
  };
}
const CLEAR = "\r\u001b[2K";

describe("on a terminal", () => {
  it("redraws one line with bar, count, rate and time left", () => {
    const { update, wait, look } = start(true);
    update(0, 200);
    look();
    wait(10_000);
    update(50, 200);
    expect(look()).toBe(
      `${CLEAR}embed ██████░░░░░░░░░░░░░░░░░░ 50/200 pairs (25%), 5.00 pairs/s, 30 s left`,
    );
  });

  it("draws at most ten times a second", () => {
    const { update, wait, look } = start(true);
    let drawn = 0;
    for (let i = 0; i < 1000; i++) {
      update(i, 1000);
      wait(1);
      if (look() !== "") drawn++;
    }
    expect(drawn).toBe(10);
  });

  it("keeps notes above the bar, and ends with the last state on a line of its own", () => {
    const { update, note, wait, end, look } = start(true);
    update(0, 4);
    look();
    note("news");
    expect(look()).toBe(`${CLEAR}news\n`);
    wait(1000);
    update(4, 4);
    look();
    end();
    const full = "█".repeat(24);
    expect(look()).toBe(`${CLEAR}embed ${full} 4/4 pairs (100%), 4.00 pairs/s, 0 s left\n`);
    end();
    expect(look()).toBe("");
  });
});

describe("elsewhere", () => {
  it("writes a plain line every ten seconds, and the last state at the end", () => {
    const { update, wait, end, look } = start(false);
    for (let second = 0; second <= 25; second++) {
      update(second * 10, 1000);
      wait(1000);
    }
    expect(look().split("\n")).toEqual([
      "embed 100/1000 pairs (10%), 10.00 pairs/s, 2 min left",
      "embed 200/1000 pairs (20%), 10.00 pairs/s, 80 s left",
      "",
    ]);
    end();
    expect(look()).toBe("embed 250/1000 pairs (25%), 10.00 pairs/s, 75 s left\n");
  });

  it("does not count work found finished towards the rate", () => {
    const { update, wait, look } = start(false);
    update(1000, 2000);
    wait(10_000);
    update(1100, 2000);
    expect(look()).toBe("embed 1100/2000 pairs (55%), 10.00 pairs/s, 2 min left\n");
  });

  it("shows count and rate where the total is not known, and nothing where nothing was done", () => {
    const { update, wait, end, look } = start(false);
    end();
    expect(look()).toBe("");
    update(0, undefined);
    wait(10_000);
    update(2500, undefined);
    expect(look()).toBe("embed 2500 pairs, 250 pairs/s\n");
  });

  it("says long times in hours", () => {
    const { update, wait, look } = start(false);
    update(0, 100_000);
    wait(10_000);
    update(10, 100_000);
    expect(look()).toBe("embed 10/100000 pairs (0%), 1.00 pairs/s, 27.8 h left\n");
  });
});
