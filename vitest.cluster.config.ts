import { defineConfig } from "vitest/config";

/** Tests on a real Ray cluster on this machine: `npm run test:cluster`. */
export default defineConfig({
  test: {
    include: ["test/cluster/**/*.cluster.ts"],
    testTimeout: 180_000,
    hookTimeout: 600_000,
    pool: "forks",
    // One cluster with two workers serves all.
    fileParallelism: false,
    sequence: { concurrent: false },
  },
});
