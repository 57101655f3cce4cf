import type { ChatAnswer } from "../../endpoint/chat-endpoint.ts";
import { describeSaid } from "../../endpoint/describe-counts.ts";
import { EndpointFault } from "../../endpoint/endpoint-fault.ts";
import { openAsker } from "../judging/open-asker.ts";
import type { EndpointSettings } from "../settings/endpoint.ts";
import { type Finding, foundError } from "./finding.ts";

/** Enough for a few words, and for a server that counts its template. */
const MAX_TOKENS = 16;
/** A question that hardly two samples answer alike. */
const QUESTION = { role: "user", content: "Write ten random words." } as const;

/** Asks the endpoint a question of a few tokens twice, as culprit generate would: it costs what that costs. */
export async function checkEndpoint(
  settings: EndpointSettings,
  signal: AbortSignal | undefined,
): Promise<Finding> {
  const check = "endpoint";
  try {
    const asker = openAsker({ ...settings, attempts: 1 });
    const ask = (seed: number): Promise<ChatAnswer> => {
      const request = { messages: [QUESTION], maxTokens: MAX_TOKENS, temperature: 1, seed };
      return asker.ask(request, asker.allowance(), { signal });
    };
    const [first, second] = [await ask(0), await ask(1)];
    return describeAnswer(settings, first, second.text === first.text);
  } catch (error) {
    if (!(error instanceof EndpointFault)) return foundError(check, error);
    const { what, detail } = error;
    const said = detail === "" ? "" : `; ${describeSaid(detail)}`;
    const found = `${settings.baseUrl}: ${what}${said}`;
    const advice = "Correct what the endpoint names: address, model, key or fields.";
    return { check, status: "fault", found, advice };
  }
}

function describeAnswer(
  { baseUrl, model }: EndpointSettings,
  answer: ChatAnswer,
  isRepeated: boolean,
): Finding {
  const doubts = listDoubts(answer, isRepeated);
  const found = `${baseUrl} answers as ${JSON.stringify(model)}, finish ${answer.finish}`;
  if (doubts.length === 0) return { check: "endpoint", status: "ok", found };
  return {
    check: "endpoint",
    status: "warning",
    found,
    advice: `Know that ${doubts.join("; ")}. See docs/servers.md.`,
  };
}

function listDoubts(
  { finish, reason, leftOut = [], promptTokens, completionTokens, text, instead }: ChatAnswer,
  isRepeated: boolean,
): readonly string[] {
  const isCounted = promptTokens !== undefined && completionTokens !== undefined;
  const isEmpty = text.trim() === "";
  const doubts: readonly (readonly [isSo: boolean, doubt: string])[] = [
    ...leftOut.map((field) => [true, `it does not take ${field}`] as const),
    [!isCounted, "it does not count tokens: they will be estimated"],
    [
      finish === "unknown",
      `its finish reason ${JSON.stringify(reason ?? "none")} does not say whether answers are cut`,
    ],
    [
      isRepeated && !isEmpty,
      "two samples at temperature 1 are the same text: it does not seem to sample",
    ],
    [
      isEmpty || text.includes("<think>"),
      `${instead ?? "no answer"} within ${MAX_TOKENS} tokens: a model that thinks first needs a large --max-tokens`,
    ],
  ];
  return doubts.flatMap(([isSo, doubt]) => (isSo ? [doubt] : []));
}
