import { readFileSync } from "node:fs";

import { expect } from "vitest";

import type { FakeEndpoint } from "./fake-endpoint.ts";
import { runCli } from "./run-cli.ts";

/**
 * Starts a command that asks a fake endpoint 4 requests at once and kills it after 40 answers. Gives how many answers the file `store`
 * has: all but 8 at most, 4 that were under way and 4 that were just being written.
 */
export async function killWhilePaying(
  words: readonly string[],
  server: Pick<FakeEndpoint, "counts">,
  store: string,
): Promise<number> {
  const killed = await runCli(words, {
    onStart: (child) => {
      const timer = setInterval(() => {
        if (server.counts.answers < 40) return;
        clearInterval(timer);
        child.kill("SIGKILL");
      }, 5);
    },
  });
  expect(killed.signal).toBe("SIGKILL");
  const answered = server.counts.answers;
  const stored = readFileSync(store, "utf8").split("\n").length - 1;
  expect(answered - stored).toBeLessThanOrEqual(8);
  return stored;
}
