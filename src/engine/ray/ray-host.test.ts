import { join } from "node:path";

import { expect, it } from "vitest";

import { temporaryFolder } from "../../../test/support/data-files.ts";
import { collect } from "../../../test/support/data-files.ts";
import { TRAINER_SETTINGS } from "../../../test/support/engine-contract.ts";
import { expectFailure } from "../../../test/support/errors.ts";
import { makeTinyCheckpoint } from "../../../test/support/tiny-checkpoint.ts";
import { ConfigError, UnsupportedError } from "../../util/errors.ts";
import type { EngineOptions } from "../engine-host.ts";
import { localHost } from "../local-host.ts";
import { rayHost } from "./ray-host.ts";

/** Where nothing listens: what is refused is refused before anybody is asked. */
const ADDRESS = "http://127.0.0.1:9";

async function place(): Promise<{ checkpoint: string; options: EngineOptions }> {
  const storage = await temporaryFolder();
  const checkpoint = await makeTinyCheckpoint(join(storage, "tiny"));
  return { checkpoint, options: { address: ADDRESS, storage } };
}

it.each<readonly [string, EngineOptions, RegExp]>([
  ["address", { address: undefined }, /^address: /],
  ["storage", { storage: undefined }, /^storage: /],
  ["storage", { storage: "relative" }, /^storage: expected an absolute path/],
  ["storage", { storage: "/nowhere/at/all" }, /^storage: .*expected a folder/],
  ["device", { device: "webgpu" }, /^device: expected cpu or cuda/],
  ["weights", { weights: "shared" }, /^weights: expected none/],
])("names %s where it does not fit a cluster (%j)", async (_, change, message) => {
  const { checkpoint, options } = await place();
  await expect(rayHost.open(checkpoint, { ...options, ...change })).rejects.toThrow(message);
});

it("refuses by name what a cluster does not do yet, before it is asked", async () => {
  const { checkpoint, options } = await place();
  await using engine = await rayHost.open(checkpoint, options);
  const example = engine.tokenize(
    [{ role: "user", content: "a" }],
    [[{ role: "assistant", content: "b" }]],
  );
  const features = { kind: "influence", dims: 16, projection: "sign", seed: 0 } as never;
  const read = collect(engine.embed([example], { layers: [1], features }));
  expect((await expectFailure(read, UnsupportedError)).message).toMatch(/influence features/);
  const before = engine;
  expect(() => engine.generate([example.prompt], { amplify: { before, alpha: 1 } })).toThrow(
    /amplified sampling is not done/,
  );
  const training = rayHost.openTrainer(checkpoint, TRAINER_SETTINGS, options);
  expect((await expectFailure(training, UnsupportedError)).message).toMatch(/training is not done/);
});

it("refuses to sample where the rope changes on the way", async () => {
  const { options } = await place();
  const scaling = { type: "dynamic", factor: 2 };
  const checkpoint = await makeTinyCheckpoint(join(await temporaryFolder(), "dynamic"), {
    config: { rope_scaling: scaling, max_position_embeddings: 32 },
  });
  await using engine = await rayHost.open(checkpoint, options);
  const prompt = engine.tokenizePrompt([{ role: "user", content: "a" }]);
  const sampling = collect(engine.generate([prompt], { maxTokens: 60 }));
  expect((await expectFailure(sampling, UnsupportedError)).message).toMatch(/rope changes/);
});

it("trains in this process only where that is said", async () => {
  const { checkpoint, options } = await place();
  await using trainer = await rayHost.openTrainer(checkpoint, TRAINER_SETTINGS, {
    ...options,
    training: "local",
  });
  expect(trainer.steps).toBe(0);
});

it("says where a cluster is given to the local engine", async () => {
  const { checkpoint, options } = await place();
  const error = await expectFailure(localHost.open(checkpoint, options), ConfigError);
  expect(error.message).toBe("address: expected engine ray with it, got local");
});
