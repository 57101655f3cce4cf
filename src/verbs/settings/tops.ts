import { z } from "zod";

import type { TopSize } from "../../ranking/ranking-report.ts";

const EXPECTED = "expected numbers of pairs or shares like 300 or 5%";

const topSize = z
  .union([z.int(), z.string()], { error: EXPECTED })
  .transform((value, context): TopSize => {
    const match = /^(\d+(?:\.\d+)?)(%?)$/.exec(`${value}`);
    const size = Number(match?.[1]);
    if (match?.[2] === "%" && size > 0 && size <= 100) return { share: size / 100 };
    if (match?.[2] === "" && Number.isSafeInteger(size) && size > 0) return { count: size };
    context.addIssue({ code: "custom", message: EXPECTED });
    return z.NEVER;
  });

/** Sizes of a ranking's top that are looked at. */
export const tops = z.array(topSize).min(1).optional();
