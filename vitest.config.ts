import { availableParallelism } from "node:os";

import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["src/**/*.test.ts", "test/**/*.test.ts", "page/**/*.test.ts"],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // ONNX Runtime and DuckDB bring native threads: separate processes keep their state apart.
    pool: "forks",
    // By itself vitest leaves one core free, which on two cores makes the whole of it serial.
    maxWorkers: Math.max(2, availableParallelism() - 1),
  },
});
