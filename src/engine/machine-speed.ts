import { input } from "../tensor/graph.ts";
import { lowerToOnnx } from "../tensor/lower.ts";
import { matMul } from "../tensor/ops/mat-mul.ts";

/** Rows and columns of the matrices: those of a small model's blocks, and quick to multiply. */
const SIZE = 768;
/** Long enough for the clock and for the processor to be at speed, short enough to wait for. */
const MEASURE_MS = 400;

/**
 * Floating-point operations a second of a matrix product in ONNX Runtime on this machine's processor, measured for half a second: more
 * than any model reaches here, since nothing of it is attention, memory or waiting.
 */
export async function measureSpeed(threads?: number): Promise<number> {
  // Loading the runtime takes a moment: not before it is needed.
  const { compile } = await import("../runtime/ort.ts");
  const shape = [SIZE, SIZE];
  const product = matMul(input("a", "float32", shape), input("b", "float32", shape));
  await using program = await compile(lowerToOnnx({ product }), { threads });
  const array = new Float32Array(SIZE * SIZE).fill(0.5);
  const given = {
    a: { dtype: "float32", shape, array },
    b: { dtype: "float32", shape, array },
  } as const;
  await program.run(given); // the first run sets things up
  const startMs = performance.now();
  let runs = 0;
  while (performance.now() - startMs < MEASURE_MS) {
    await program.run(given);
    runs++;
  }
  return (runs * 2 * SIZE ** 3) / ((performance.now() - startMs) / 1000);
}
