import type { Frame } from "./compile-expression.ts";
import type { Statement } from "./nodes.ts";
import type { Activation, Output } from "./rendering.ts";

/** How a statement ended, other than by its end. */
export type Signal = "break" | "continue" | undefined;

/** A statement that was compiled: it prints to `out`. */
export type Step = (run: Activation, out: Output) => Signal;

export type CompileBody = (statements: readonly Statement[], frame: Frame) => Step;
