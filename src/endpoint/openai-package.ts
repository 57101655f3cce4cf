import { createRequire } from "node:module";

import type * as openai from "openai";

type OpenaiPackage = typeof openai;
let loaded: OpenaiPackage | undefined;

/** The package of OpenAI's client, loaded when it is first needed: it has hundreds of files, and most commands ask no endpoint. */
export function openaiPackage(): OpenaiPackage {
  loaded ??= createRequire(import.meta.url)("openai") as OpenaiPackage;
  return loaded;
}
