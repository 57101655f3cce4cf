import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { exchangeSides } from "../shapes/side-columns.ts";
import { setMember, swapMembers } from "./json-text.ts";

const SIDES = [
  { chosen: "chosen", rejected: "rejected" },
  { chosen: "chosen_x", rejected: "rejected_x" },
];

/** Objects with side columns, present or not, as JSON texts with white space of any kind between the parts. */
const objectText = fc
  .tuple(
    fc.dictionary(
      fc.oneof(
        fc.constantFrom("chosen", "rejected", "chosen_x", "rejected_x", "id", "__proto__", '"'),
        fc.string({ unit: "binary" }),
      ),
      fc.jsonValue(),
    ),
    fc.constantFrom("", " ", "\n", "\t \r\n"),
  )
  .map(([object, space]) => JSON.stringify(object, undefined, space).replace(/^/, space));

describe("editing an object's text", () => {
  it("exchanges sides like the parsed object, whatever the values, and twice gives the same object", () => {
    fc.assert(
      fc.property(objectText, (text) => {
        const parsed = JSON.parse(text) as Record<string, unknown>;
        const swapped = swapMembers(text, SIDES);
        expect(JSON.parse(swapped)).toEqual(exchangeSides(parsed, SIDES));
        expect(JSON.parse(swapMembers(swapped, SIDES))).toEqual(parsed);
      }),
      { numRuns: 200 },
    );
  });

  it("sets one member and leaves all others as they are", () => {
    fc.assert(
      fc.property(objectText, fc.string({ unit: "binary" }), (text, id) => {
        const parsed = JSON.parse(text) as Record<string, unknown>;
        expect(JSON.parse(setMember(text, "id", id))).toEqual({ ...parsed, id });
      }),
      { numRuns: 200 },
    );
  });

  it("keeps numbers as they are written, however long", () => {
    const long = "9".repeat(1000);
    expect(swapMembers(`{"chosen":${long},"rejected":1.50e+3}`, SIDES)).toBe(
      `{"chosen":1.50e+3,"rejected":${long}}`,
    );
  });
});
