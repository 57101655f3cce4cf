/** @file Why an answer ended, in the words of servers. */

/** Each reason in small letters; docs/servers.md says whose it is. */
const REASONS: Readonly<Record<string, "stop" | "length" | "filtered" | "broken">> = {
  // The model ended it, a call of a tool included.
  stop: "stop",
  end_turn: "stop",
  stop_sequence: "stop",
  eos: "stop",
  eos_token: "stop",
  complete: "stop",
  finish_reason_stop: "stop",
  tool_calls: "stop",
  tool_use: "stop",
  function_call: "stop",
  // The limit of tokens or of the context.
  length: "length",
  max_tokens: "length",
  max_output_tokens: "length",
  max_length: "length",
  model_length: "length",
  model_context_window_exceeded: "length",
  finish_reason_max_tokens: "length",
  // Kept back.
  content_filter: "filtered",
  content_filtered: "filtered",
  guardrail_intervened: "filtered",
  safety: "filtered",
  recitation: "filtered",
  blocklist: "filtered",
  prohibited_content: "filtered",
  spii: "filtered",
  error_toxic: "filtered",
  // Given up by the server.
  abort: "broken",
  aborted: "broken",
  cancelled: "broken",
  error: "broken",
  insufficient_system_resource: "broken",
};

/** What a finish reason means; `unknown` for one that is on no list, or none: nobody says then that the answer is whole. */
export function readFinishReason(
  reason: string | null | undefined,
): "stop" | "length" | "filtered" | "broken" | "unknown" {
  const name = (reason ?? "").toLowerCase();
  return Object.hasOwn(REASONS, name) ? REASONS[name]! : "unknown"; // it has it
}
