import { batchWidth, type PlannedBatch } from "./plan-batches.ts";

/** Batches whose longest row has so many tokens take their queries in pieces; below it the pieces cost more than they save. */
const MIN_WIDTH = 128;
/** The scores of four pieces are five eighths of all; more pieces save little more. */
const PIECES = 4;

/** In how many pieces attention takes the queries of a batch; see AttentionAttributes. */
export const queryPieces = (batch: PlannedBatch): number =>
  batchWidth(batch) < MIN_WIDTH ? 1 : PIECES;
