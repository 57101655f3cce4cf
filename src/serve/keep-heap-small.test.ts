import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";

import { expect, it } from "vitest";

/** MiB that the heap has at most while much is made that lives for a while, in a process of its own. */
function heapAtMost(isKept: boolean): number {
  const module = fileURLToPath(new URL("keep-heap-small.ts", import.meta.url));
  const script = `
    import { setTimeout } from "node:timers/promises";
    import { keepHeapSmall } from ${JSON.stringify(module)};
    const before = process.memoryUsage().heapTotal;
    if (${isKept}) keepHeapSmall();
    const last = [];
    let most = 0;
    for (let i = 0; i < 40; i++) {
      for (let j = 0; j < 150000; j++) last[j] = { text: \`number \${i} \${j}\` };
      await setTimeout(10);
      most = Math.max(most, process.memoryUsage().heapTotal);
    }
    console.log((most - before) / 2 ** 20);`;
  const words = ["--import", "tsx", "--input-type=module", "-e", script];
  return Number(execFileSync(process.execPath, words, { encoding: "utf8" }));
}

it("keeps the heap of a process at work from growing far beyond what is in it", () => {
  const [free, kept] = [heapAtMost(false), heapAtMost(true)];
  expect({ free, kept, isLess: kept < 0.8 * free }).toMatchObject({ isLess: true });
});
