import { MAX_ROW_BYTES } from "./file-row.ts";

/** Collects the bytes of one row after the other; of a row above MAX_ROW_BYTES they are let go. */
export interface RowBuffer {
  add(part: Buffer): void;
  /** The row so far, and begins the next; undefined for one above MAX_ROW_BYTES. */
  take(): Buffer | undefined;
  /** Whether anything was added since the last row. */
  hasBytes(): boolean;
}

export function createRowBuffer(): RowBuffer {
  let parts: Buffer[] = [];
  let sizeBytes = 0;
  return {
    add(part) {
      sizeBytes += part.length;
      if (sizeBytes <= MAX_ROW_BYTES) parts.push(part);
      else parts = [];
    },
    take() {
      const row = sizeBytes > MAX_ROW_BYTES ? undefined : Buffer.concat(parts);
      parts = [];
      sizeBytes = 0;
      return row;
    },
    hasBytes: () => sizeBytes > 0,
  };
}
