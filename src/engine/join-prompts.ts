/** @file Pairs of one prompt, which public mixes have many of, as one example: the prompt runs once, and so does each response. */
import type { TokenizedExample } from "./engine.ts";

export interface JoinedExamples {
  /** One for each distinct prompt, its distinct responses behind it. */
  readonly examples: readonly TokenizedExample[];
  /** The responses of the caller's examples that a response of these is: one at least. */
  placesOf(example: number, response: number): readonly ResponsePlace[];
}

/** A response of the caller's examples. */
export interface ResponsePlace {
  readonly example: number;
  readonly response: number;
}

interface Joined {
  readonly prompt: Int32Array;
  readonly responses: Int32Array[];
  readonly places: ResponsePlace[][];
  /** Where a response stands in `responses`. */
  readonly slots: Map<string, number>;
}

/** Joins examples whose prompts are the same tokens. An example with a prompt of its own and unequal responses stays as it is. */
export function joinPrompts(examples: readonly TokenizedExample[]): JoinedExamples {
  const found = new Map<string, Joined>();
  for (const [example, { prompt, responses }] of examples.entries()) {
    const key = tokenKey(prompt);
    const fresh: Joined = { prompt, responses: [], places: [], slots: new Map() };
    const joined = found.get(key) ?? fresh;
    found.set(key, joined);
    for (const [response, tokens] of responses.entries()) {
      const responseKey = tokenKey(tokens);
      const slot = joined.slots.get(responseKey) ?? joined.responses.length;
      joined.slots.set(responseKey, slot);
      if (slot === joined.responses.length) {
        joined.responses.push(tokens);
        joined.places.push([]);
      }
      joined.places[slot]!.push({ example, response }); // made just now, if it was not there
    }
  }
  const all = [...found.values()];
  return {
    examples: all,
    placesOf: (example, response) => all[example]!.places[response]!, // one for each response
  };
}

/** Equal where all tokens are. */
function tokenKey({ buffer, byteOffset, byteLength }: Int32Array): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString("latin1");
}
