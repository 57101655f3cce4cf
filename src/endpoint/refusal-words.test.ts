import { describe, expect, it } from "vitest";

import { EndpointFault } from "./endpoint-fault.ts";
import { refusalCode, refusalWords } from "./refusal-words.ts";
import { FIELDS_TO_SPARE, refusedFields } from "./refused-fields.ts";

/** As servers answer; docs/servers.md says which were seen. */
const BODIES: readonly (readonly [server: string, body: unknown, words: string])[] = [
  [
    "transformers serve",
    { detail: "Server is pinned to 'A'; requested 'B'." },
    "Server is pinned to 'A'; requested 'B'.",
  ],
  [
    "FastAPI",
    { detail: [{ type: "extra_forbidden", loc: ["body", "seed"], msg: "Extra inputs", input: 3 }] },
    "body.seed: Extra inputs",
  ],
  [
    "OpenAI",
    { error: { message: "Bad model", code: "model_not_found", param: null } },
    "Bad model",
  ],
  ["llama.cpp", { error: { code: 400, message: "too long", type: "invalid" } }, "too long"],
  ["Ollama", { error: "model 'x' not found" }, "model 'x' not found"],
  ["Cohere", { message: "invalid request" }, "invalid request"],
  [
    "OpenRouter",
    { error: { message: "Provider error", metadata: { raw: "too many tokens" } } },
    "Provider error: too many tokens",
  ],
  [
    "a proxy",
    "<html><style>a{}</style><h1>413  Too large</h1>\n<hr>nginx</html>",
    "413 Too large nginx",
  ],
  ["nobody", "", ""],
  ["nobody's JSON", {}, ""],
  ["null", null, ""],
];

describe("refusalWords", () => {
  it.each(BODIES)("finds the reason of %s", (_, body, words) => {
    expect(refusalWords(body)).toBe(words);
  });

  it("leaves the code apart", () => {
    expect(refusalCode({ error: { code: "unsupported_parameter", param: "seed" } })).toBe(
      "unsupported_parameter seed",
    );
    expect(refusalCode({ error: { code: 400 } })).toBe("");
    expect(refusalCode("seed")).toBe("");
  });
});

describe("refusedFields", () => {
  const refused = (detail: string, status = 400): readonly string[] =>
    refusedFields(new EndpointFault("refused", "item", { status, detail }), FIELDS_TO_SPARE);

  it.each([
    ["Unexpected fields in the request: {'seed'}", ["seed"]],
    ["body.seed: Extra inputs are not permitted", ["seed"]],
    ["body.top_p: Extra inputs are not permitted; body.seed: Extra inputs", ["seed", "top_p"]],
    ["Unrecognized request argument supplied: seed", ["seed"]],
    ["property 'seed' is unsupported", ["seed"]],
    ['Unknown name "seed": Cannot find field.', ["seed"]],
    ["Unsupported parameter: 'temperature' is not supported with this model.", ["temperature"]],
    // Another value is wanted.
    ["Unsupported value: 'temperature' does not support 0.7. Only the default (1) value", []],
    ["temperature must be between 0 and 1", []],
    // About something else.
    ["reseeding is not supported", []],
    ["This model's maximum context length is 512 tokens", []],
  ])("reads %j", (detail, fields) => {
    expect(refused(detail)).toEqual(fields);
  });

  it("reads no other status", () => {
    expect(refused("seed is not supported", 500)).toEqual([]);
  });
});
