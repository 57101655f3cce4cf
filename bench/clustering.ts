/**
 * @file Clustering beside SciPy in the same run: PYTHON=python3 npx tsx bench/clustering.ts [ROWS]. Linkage and leaf order of ROWS (default
 * 2,000) unit vectors of 64 dimensions in 40 loose groups, one thread each; the merges have to be the same. SciPy's leaf order
 * takes over a minute, and its cost is printed beside ours, since it is not the least.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { euclideanDistances } from "../src/clustering/condensed.ts";
import { orderCost, orderLeaves } from "../src/clustering/leaf-order.ts";
import { LINKAGES, linkTree } from "../src/clustering/linkage.ts";
import { createRng } from "../src/util/rng.ts";
import { median } from "./support.ts";

const rows = Number(process.argv[2] ?? 2000);
const WIDTH = 64;
const GROUPS = 40;
const REPEATS = 5;

const PYTHON = `
import json, sys, time
import numpy as np
from scipy.cluster.hierarchy import leaves_list, linkage, optimal_leaf_ordering
folder, n = sys.argv[1], int(sys.argv[2])
d = np.fromfile(folder + "/distances.f64")
out = {}
for method in ("average", "ward"):
    times = []
    for _ in range(${REPEATS}):
        start = time.perf_counter()
        z = linkage(d, method)
        times.append(time.perf_counter() - start)
    start = time.perf_counter()
    order = leaves_list(optimal_leaf_ordering(z, d))
    out[method] = {"seconds": sorted(times)[len(times) // 2], "order_seconds": time.perf_counter() - start,
                   "z": z.tolist(), "order": order.tolist()}
json.dump(out, open(folder + "/scipy.json", "w"))
`;

interface SciPyTree {
  readonly seconds: number;
  readonly order_seconds: number;
  readonly z: readonly (readonly [number, number, number, number])[];
  readonly order: readonly number[];
}

const rng = createRng(5);
const centres = Float64Array.from({ length: GROUPS * WIDTH }, () => rng.normal());
const points = Float64Array.from({ length: rows * WIDTH }, (_, i) => {
  const group = Math.floor(i / WIDTH) % GROUPS;
  return centres[group * WIDTH + (i % WIDTH)]! + rng.normal();
});
const distances = euclideanDistances(points, rows, WIDTH);
const folder = mkdtempSync(join(tmpdir(), "clustering-"));
writeFileSync(join(folder, "distances.f64"), Buffer.from(distances.values.buffer));

const timed = <T>(work: () => T): { readonly seconds: number; readonly value: T } => {
  const start = performance.now();
  const value = work();
  return { value, seconds: (performance.now() - start) / 1000 };
};
const ours = LINKAGES.map((linkage) => {
  const runs = Array.from({ length: REPEATS }, () => timed(() => linkTree(distances, linkage)));
  const tree = runs[0]!.value;
  const order = timed(() => orderLeaves(tree, distances));
  return { linkage, tree, seconds: median(runs.map((run) => run.seconds)), order };
});
execFileSync(process.env["PYTHON"] ?? "python3", ["-c", PYTHON, folder, String(rows)], {
  env: { ...process.env, OMP_NUM_THREADS: "1" },
  stdio: "inherit",
});
// The script above wrote it.
const theirs = JSON.parse(readFileSync(join(folder, "scipy.json"), "utf8")) as Record<
  string,
  SciPyTree
>;
rmSync(folder, { recursive: true });

for (const { linkage, tree, seconds, order } of ours) {
  const other = theirs[linkage]!;
  const unlike = other.z.filter(
    ([a, b, height], k) => tree.left[k] !== a || tree.right[k] !== b || tree.height[k] !== height,
  ).length;
  const ratio = (a: number, b: number): string => (a / b).toFixed(2);
  process.stdout.write(
    [
      `${linkage}, ${rows} rows: ${unlike} of ${other.z.length} merges differ`,
      `  linkage    ${seconds.toFixed(3)} s, SciPy ${other.seconds.toFixed(3)} s, ratio ${ratio(seconds, other.seconds)}`,
      `  leaf order ${order.seconds.toFixed(2)} s, SciPy ${other.order_seconds.toFixed(2)} s, ratio ${ratio(order.seconds, other.order_seconds)}`,
      `  cost       ${orderCost(order.value, distances).toFixed(4)}, SciPy ${orderCost(other.order, distances).toFixed(4)}`,
      "",
    ].join("\n"),
  );
}
