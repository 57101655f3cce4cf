import { join } from "node:path";

import { RECORD } from "../../runs/stage-record.ts";
import { definePart } from "../report-part.ts";
import { commandsOf } from "../shown-command.ts";

/** Settings, hashes, versions and what every stage took. */
export const provenancePart = definePart({
  name: "provenance",
  read: async ({ run }) => {
    const { manifest } = run;
    const stages = await Promise.all(
      manifest.stages.map(async ({ directory, ...stage }) => {
        const record =
          directory === undefined
            ? undefined
            : await RECORD.find(join(run.path, directory, RECORD.name));
        return {
          ...stage,
          key: record?.key,
          outputHash: record?.outputHash,
          settings: record?.settings,
          finishedAt: record?.finishedAt,
        };
      }),
    );
    return { ...manifest, stages, commands: await commandsOf(run) };
  },
});
