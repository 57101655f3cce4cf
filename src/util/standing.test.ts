import { expect, it } from "vitest";

import { describeStanding, startRate } from "./standing.ts";

it("describes share, rate and time left as far as they are known", () => {
  const at = { done: 12, total: 40, unit: "pairs", rate: 4 };
  expect(describeStanding(at)).toBe("12/40 pairs (30%), 4.00 pairs/s, 7 s left");
  expect(describeStanding({ ...at, rate: undefined })).toBe("12/40 pairs (30%)");
  expect(describeStanding({ ...at, total: undefined })).toBe("12 pairs, 4.00 pairs/s");
});

it("does not count what was there at the first report towards the rate", () => {
  let nowMs = 0;
  const rateAt = startRate(() => nowMs);
  expect(rateAt(100)).toBe(0);
  nowMs = 2000;
  expect(rateAt(110)).toBe(5);
});
