import { type EndpointSettings, openClient } from "./endpoint-client.ts";
import { EndpointFault } from "./endpoint-fault.ts";
import { explainFault } from "./explain-fault.ts";

/** A list of models takes no longer; who needs more has somebody behind the address all the same. */
const PATIENCE_MS = 20_000;

/**
 * Asks for the list of models, which costs nothing, to learn whether somebody is behind the address and takes the key. Throws ConfigError
 * where the key is refused, RuntimeError where nobody is there. Servers without such a list, and those that are still loading, pass.
 */
export async function greetEndpoint(
  settings: EndpointSettings,
  signal?: AbortSignal,
): Promise<void> {
  const { baseUrl, model } = settings;
  const { client, hasKey, sendOnce } = openClient({ ...settings, timeoutMs: PATIENCE_MS });
  try {
    await sendOnce(
      (abort) => client.models.list({ signal: abort }).asResponse(),
      // Of a long list nothing is wanted.
      async (response) => response.body?.cancel(),
      signal,
    );
  } catch (error) {
    if (!(error instanceof EndpointFault)) throw error;
    const isRefused = error.status === 401 || error.status === 403;
    if (!isRefused && error.concerns !== "unreachable") return;
    throw explainFault({ baseUrl, model, hasKey }, error, { items: undefined, hasSchema: false });
  }
}
