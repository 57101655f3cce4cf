/**
 * What a thread of streamProducts runs: plain JavaScript, because a thread starts without the loader that reads TypeScript. It is sent tasks
 * (`{ task, path, position, rows, slot }`), reads the rows part by part, multiplies each part while it is in the processor's cache, writes
 * the products to the shared slot, and answers with the number of the task.
 */
export const PRODUCT_THREAD = `
const { closeSync, openSync, readSync } = require("node:fs");
const { parentPort, workerData } = require("node:worker_threads");
const { kernel, rowBytes, partRows, stride, slots } = workerData;
const makers = { graph: makeGraph, halfDot: makeHalfDot };
const ready = makers[kernel.kind]();
let file;

/** The columns in ONNX Runtime, on this thread alone. */
async function makeGraph() {
  const ort = require(kernel.library);
  ort.env.logLevel = "fatal";
  const session = await ort.InferenceSession.create(kernel.model, {
    intraOpNumThreads: 1, interOpNumThreads: 1, executionMode: "sequential",
    graphOptimizationLevel: "all", enableMemPattern: false, logSeverityLevel: 4,
  });
  const buffer = new Uint8Array(partRows * rowBytes);
  const dim = rowBytes / (kernel.isHalf ? 2 : 4);
  const tensorOf = (rows) => {
    if (!kernel.isHalf) return new ort.Tensor("float32", new Float32Array(buffer.buffer, 0, rows * dim), [rows, dim]);
    const words = new ort.Tensor("uint16", new Uint16Array(buffer.buffer, 0, rows * dim), [rows, dim]);
    return Object.assign(words, { type: "float16" });
  };
  return {
    buffer,
    async multiply(rows, slot, first) {
      const { products, squares } = await session.run({ x: tensorOf(rows) });
      slot.products.set(products.data, first * stride);
      if (squares !== undefined) slot.squares.set(squares.data, first);
    },
  };
}

/** One half-precision column in WebAssembly. */
async function makeHalfDot() {
  const { code, vector, vectorAt, partAt, outAt, pages } = kernel;
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(code), { env: { memory } });
  new Float32Array(memory.buffer, vectorAt, vector.length).set(vector);
  const out = new Float32Array(memory.buffer, outAt, partRows);
  return {
    buffer: new Uint8Array(memory.buffer, partAt, partRows * rowBytes),
    multiply(rows, slot, first) {
      exports.dotRows(partAt, vectorAt, rowBytes, rows, outAt);
      slot.products.set(out.subarray(0, rows), first);
    },
  };
}

function fileAt(path) {
  if (file?.path === path) return file.descriptor;
  if (file !== undefined) closeSync(file.descriptor);
  file = undefined;
  file = { path, descriptor: openSync(path) };
  return file.descriptor;
}

/** Fills the buffer from the position on. */
function fill(descriptor, buffer, position) {
  for (let done = 0; done < buffer.length;) {
    const count = readSync(descriptor, buffer, done, buffer.length - done, position + done);
    if (count === 0) throw Object.assign(new Error("the file ended"), { endedAt: position + done });
    done += count;
  }
}

async function work({ path, position, rows, slot }) {
  const { buffer, multiply } = await ready;
  const descriptor = fileAt(path);
  for (let first = 0; first < rows; first += partRows) {
    const count = Math.min(partRows, rows - first);
    fill(descriptor, buffer.subarray(0, count * rowBytes), position + first * rowBytes);
    await multiply(count, slots[slot], first);
  }
}

let last = Promise.resolve();
parentPort.on("message", (task) => {
  // One after the other: they share the buffers.
  last = last.then(() => work(task)).then(
    () => parentPort.postMessage({ task: task.task }),
    (error) => parentPort.postMessage({ task: task.task, error: { message: String(error?.message), endedAt: error?.endedAt } }),
  );
});
`;
