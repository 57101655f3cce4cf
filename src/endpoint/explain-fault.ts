import { ConfigError, type CulpritError, RuntimeError } from "../util/errors.ts";
import type { ChatEndpoint } from "./chat-endpoint.ts";
import { describeSaid } from "./describe-counts.ts";
import { type EndpointFault, NO_MODEL } from "./endpoint-fault.ts";

/** What was asked in vain. */
export interface AskedInVain {
  /** So many got no answer, and none did; undefined where one fault is enough. */
  readonly items: number | undefined;
  /** The last one was asked with a JSON schema. */
  readonly hasSchema: boolean;
}

const SCHEMA_HINT =
  "The answer was asked for by a JSON schema, which not every endpoint takes: --structured off (judge.structured in an experiment) asks without.";

/** What an error says of an endpoint. */
type Asked = Omit<ChatEndpoint, "ask">;

/** The error that ends a run: where the fault is the user's to mend, a ConfigError. */
export function explainFault(
  endpoint: Asked,
  fault: EndpointFault,
  { items, hasSchema }: AskedInVain,
): CulpritError {
  const error = explain(endpoint, fault, items);
  const mayBeSchema = hasSchema && (fault.status === 404 || (fault.status ?? 0) >= 500);
  const isRefused = hasSchema && fault.concerns === "item";
  if (!mayBeSchema && !isRefused) return error;
  const Kind = error instanceof ConfigError ? ConfigError : RuntimeError;
  return new Kind(error.message, {
    hint: `${error.hint ?? ""} ${SCHEMA_HINT}`.trim(),
    cause: fault,
  });
}

function explain(
  { baseUrl, model, hasKey, path = "/chat/completions" }: Asked,
  fault: EndpointFault,
  items: number | undefined,
): CulpritError {
  const cause = { cause: fault };
  const name = JSON.stringify(model.slice(0, 100));
  const detail = fault.detail.trim();
  const said =
    fault.status === undefined || detail === "" ? "" : ` ${capitalised(describeSaid(detail))}`;
  if (fault.status === 401 || fault.status === 403) {
    return new ConfigError(`${baseUrl}: expected a key that it accepts, got ${fault.what}`, {
      hint: `${
        hasKey === true
          ? "The key in the variable that apiKeyEnv beside baseUrl names (--api-key-env) was sent, and refused: see that it is whole, still valid and of this endpoint."
          : "No key was sent. Name the environment variable that holds it: --api-key-env, or apiKeyEnv beside baseUrl in an experiment (judge.endpoint.apiKeyEnv, generate.endpoints.after.apiKeyEnv)."
      }${said}`,
      ...cause,
    });
  }
  if (fault.what.startsWith(NO_MODEL)) {
    return new ConfigError(
      `${baseUrl}: expected the model ${name} behind ${path}, got ${fault.what}`,
      {
        hint: `${baseUrl}/models lists the names; the address usually ends in /v1.${said}`,
        ...cause,
      },
    );
  }
  if (fault.concerns === "unreachable") {
    return new RuntimeError(`${baseUrl}: ${fault.what}`, {
      hint: fault.what.includes("bad port")
        ? "No HTTP client asks this port: serve at another one."
        : "Start the server, or correct the address; what was answered is kept, and the same command goes on.",
      ...cause,
    });
  }
  if (items !== undefined && fault.concerns === "item") {
    return new ConfigError(
      `${baseUrl}: expected an answer, got none to ${items} items: ${fault.what}`,
      {
        hint: `Check model, temperature and length.${said}`,
        ...cause,
      },
    );
  }
  const never = items === undefined ? "" : `no answer to ${items} items, `;
  const wait =
    fault.retryAfterMs === undefined
      ? ""
      : `, and asks to wait ${Math.ceil(fault.retryAfterMs / 1000)} s`;
  return new RuntimeError(`${baseUrl}: ${never}${fault.what}${wait}`, {
    hint: `What was answered is kept: the same command goes on once the endpoint answers again.${said}`,
    ...cause,
  });
}

const capitalised = (text: string): string => `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`;
