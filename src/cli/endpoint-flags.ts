import { type Asker, createAsker, DEFAULT_ATTEMPTS } from "../endpoint/asker.ts";
import { DEFAULT_TIMEOUT_MS, openChatEndpoint } from "../endpoint/chat-endpoint.ts";
import { keyOfVariable } from "../endpoint/check-endpoint.ts";
import { DEFAULT_CONCURRENCY } from "../endpoint/request-gate.ts";
import type { FlagSpec, ParsedArguments } from "./command.ts";
import { requiredText } from "./required.ts";

/** Flags of commands that ask an OpenAI-compatible endpoint. */
export const ENDPOINT_FLAGS = {
  "base-url": {
    type: "string",
    value: "URL",
    describe:
      "The endpoint: what stands before /chat/completions, http://localhost:8000/v1 say. Default: none.",
  },
  model: {
    type: "string",
    value: "NAME",
    describe: "The model, as the endpoint calls it. No default.",
  },
  "api-key-env": {
    type: "string",
    value: "VAR",
    describe: "Environment variable that holds the key. Default: no key is sent.",
  },
  concurrency: {
    type: "string",
    value: "N",
    describe: `Requests at once. Default: ${DEFAULT_CONCURRENCY}.`,
  },
  "requests-per-minute": { type: "string", value: "N", describe: "Default: no limit." },
  "tokens-per-minute": {
    type: "string",
    value: "N",
    describe: "Of prompts and answers, by estimate. Default: no limit.",
  },
  attempts: {
    type: "string",
    value: "N",
    describe: `Requests for one item at most, failed ones counted. Default: ${DEFAULT_ATTEMPTS}.`,
  },
  timeout: {
    type: "string",
    value: "SECONDS",
    describe: `Of one request, answer included. Default: ${DEFAULT_TIMEOUT_MS / 1000}.`,
  },
} as const satisfies Record<string, FlagSpec>;

/** The endpoint that the flags name, with its retries and limits; sends nothing yet. */
export function readAsker(args: ParsedArguments, command: string): Asker {
  const timeout = args.number("timeout", { min: 0.001, max: 86_400 });
  const endpoint = openChatEndpoint({
    baseUrl: requiredText(args, command, "base-url"),
    model: requiredText(args, command, "model"),
    apiKey: keyOfVariable("--api-key-env", args.text("api-key-env")),
    ...(timeout === undefined ? {} : { timeoutMs: timeout * 1000 }),
  });
  const concurrency = args.integer("concurrency", { min: 1, max: 4096 });
  const requestsPerMinute = args.number("requests-per-minute", { min: 0.01 });
  const tokensPerMinute = args.number("tokens-per-minute", { min: 1 });
  const attempts = args.integer("attempts", { min: 1, max: 100 });
  return createAsker(endpoint, {
    concurrency,
    requestsPerMinute,
    tokensPerMinute,
    attempts,
  });
}
