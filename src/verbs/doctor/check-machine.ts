/** @file Node, the arithmetic, memory and disks: what this machine has. */
import { access, constants, statfs } from "node:fs/promises";
import { availableParallelism, freemem, totalmem } from "node:os";
import { dirname, resolve } from "node:path";

import { input } from "../../tensor/graph.ts";
import { lowerToOnnx } from "../../tensor/lower.ts";
import { matMul } from "../../tensor/ops/mat-mul.ts";
import { type Finding, gibibytes } from "./finding.ts";

/** As package.json says. */
const NODE = [20, 19] as const;

/** Whether Node is new enough. */
export function checkNode(version = process.versions.node): Finding {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const isNew = major > NODE[0] || (major === NODE[0] && minor >= NODE[1]);
  const found = `${version}, ${process.platform} ${process.arch}, ${availableParallelism()} processors`;
  if (isNew) return { check: "Node", status: "ok", found };
  const advice = `Install Node ${NODE.join(".")} or newer: https://nodejs.org.`;
  return { check: "Node", status: "fault", found, advice };
}

const REINSTALL = "Install the package again: npm install --ignore-scripts.";

/** Multiplies two small matrices with ONNX Runtime, whose library a broken install lacks. */
export async function checkArithmetic(): Promise<Finding> {
  const check = "arithmetic";
  try {
    const { compile } = await import("../../runtime/ort.ts");
    const product = matMul(input("a", "float32", [1, 2]), input("b", "float32", [2, 1]));
    await using program = await compile(lowerToOnnx({ product }));
    const { product: got } = await program.run({
      a: { dtype: "float32", shape: [1, 2], array: new Float32Array([2, 3]) },
      b: { dtype: "float32", shape: [2, 1], array: new Float32Array([5, 7]) },
    });
    if (got?.array[0] === 31) return { check, status: "ok", found: "ONNX Runtime computes" };
    const found = `ONNX Runtime gives ${got?.array[0]} for 2·5 + 3·7`;
    return { check, status: "fault", found, advice: REINSTALL };
  } catch (error) {
    const found = `ONNX Runtime does not start: ${error instanceof Error ? error.message : String(error)}`;
    return { check, status: "fault", found, advice: REINSTALL };
  }
}

/** Memory in bytes: what the machine, or the container, has, and what of it is free. */
export interface Memory {
  readonly total: number;
  readonly free: number;
}

/** Reads the memory; limits of containers count. */
export function readMemory(): Memory {
  const limit = process.constrainedMemory();
  const total = limit > 0 && limit < totalmem() ? limit : totalmem();
  return { total, free: Math.min(freemem(), process.availableMemory(), total) };
}

/** So little is used up by the vectors of some ten thousand pairs. */
const LEAST_FREE = 2 ** 30;

/** Whether results can be written at `folder`, and what is free there. */
export async function checkFolder(folder: string): Promise<Finding> {
  const check = "disk";
  const there = await nearestFolder(resolve(folder));
  const isWritable = await access(there, constants.W_OK).then(
    () => true,
    () => false,
  );
  if (!isWritable) {
    const advice = "Choose a folder that you may write to.";
    return { check, status: "fault", found: `${folder} is read-only`, advice };
  }
  const free = await freeBytes(there);
  const found = `${gibibytes(free)} free at ${folder}`;
  if (free >= LEAST_FREE) return { check, status: "ok", found };
  const advice = "Make room, or choose another folder: vectors, rollouts and checkpoints go there.";
  return { check, status: "warning", found, advice };
}

/** The folder itself, or the nearest one above it that is there. */
async function nearestFolder(folder: string): Promise<string> {
  const isThere = await access(folder).then(
    () => true,
    () => false,
  );
  const above = dirname(folder);
  return isThere || above === folder ? folder : nearestFolder(above);
}

/** Free bytes of the disk that holds a folder, or will. */
export async function freeBytes(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(await nearestFolder(resolve(folder)));
  return bavail * bsize;
}
