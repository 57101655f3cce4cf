import { type HubReach, reachHub } from "../../hub/reach-hub.ts";
import type { JobOptions } from "../../util/progress.ts";
import { type Finding, foundError } from "./finding.ts";

/** Whether the hub answers and takes the token. `isNeeded`: a checkpoint is to come from it. */
export async function checkHub(isNeeded: boolean, job: JobOptions): Promise<Finding> {
  try {
    return describeReach(await reachHub(job), isNeeded);
  } catch (error) {
    return foundError("hub", error);
  }
}

function describeReach(
  { endpoint, cacheFolder, isOffline, hasToken, unreachable, refused }: HubReach,
  isNeeded: boolean,
): Finding {
  const check = "hub";
  if (isOffline) {
    const found = `not asked, as HF_HUB_OFFLINE is set: the cache at ${cacheFolder} alone`;
    return { check, status: "ok", found };
  }
  if (unreachable !== undefined) {
    return {
      check,
      status: isNeeded ? "fault" : "warning",
      found: `${endpoint} does not answer: ${unreachable}`,
      advice:
        "Without it hf:// names work only where the cache has them. Behind a firewall set HF_ENDPOINT to a mirror, or copy the folder and name that.",
    };
  }
  if (refused !== undefined) {
    return {
      check,
      status: "fault",
      found: `${endpoint} answers, and refuses the token (${refused})`,
      advice: "Set HF_TOKEN to a valid token, or unset it: public repositories need none.",
    };
  }
  const token = hasToken ? "token taken" : "no token, which gated repositories want";
  return { check, status: "ok", found: `${endpoint} answers, ${token}` };
}
