import { z } from "zod";

import { openStore, type VectorStore } from "../../store/open-store.ts";
import type { Input } from "../verb.ts";

const storeSettings = z.strictObject({
  allowIncomplete: z
    .boolean()
    .default(false)
    .describe("Takes what is there of a store whose embedding has not ended."),
});

/** A vector store, opened. */
export const storeInput = {
  kind: "store",
  placeholder: "STORE",
  describe: "One vector store, as culprit embed writes it.",
  settings: storeSettings,
  artifact: "vectors",
  open: async ([directory = ""], { allowIncomplete }, { warn }) => {
    const store = await openStore(directory, { allowIncomplete });
    if (store.completion === undefined) {
      warn(`${directory} is incomplete: it holds ${store.rows} pairs so far`);
    }
    return store;
  },
} as const satisfies Input<VectorStore, typeof storeSettings>;
