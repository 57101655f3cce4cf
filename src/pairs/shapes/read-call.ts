import { parseJson, type JsonObject } from "../../format/json-value.ts";
import type { Message } from "../../format/messages.ts";
import { isObject, ownField } from "../readers/file-row.ts";

/**
 * A ShareGPT turn from "function_call", whose text is `{"name": …, "arguments": …}`, as the assistant's turn with that call, so that the
 * checkpoint's own template writes it. Undefined where the text is none: then it is what the assistant said.
 */
export function readCall(text: unknown): Message | undefined {
  const value = typeof text === "string" ? parsed(text) : text;
  const calls = (Array.isArray(value) ? value : [value]).map((call: unknown) => {
    if (!isObject(call) || typeof ownField(call, "name") !== "string") return undefined;
    if (!Object.hasOwn(call, "arguments")) return undefined;
    return { type: "function", function: call as JsonObject }; // its values came out of a reader
  });
  const tool_calls = calls.filter((call) => call !== undefined);
  if (tool_calls.length === 0 || tool_calls.length < calls.length) return undefined;
  return { role: "assistant", content: "", whole: { role: "assistant", content: "", tool_calls } };
}

function parsed(text: string): unknown {
  try {
    return parseJson(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return undefined;
  }
}
