/** @file Makes again what is made from declarations in the code: `npm run regenerate`. */
import { writeLintRules } from "./lint-rules.ts";

await writeLintRules();
