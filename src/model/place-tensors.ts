import { quoteName } from "../format/safetensors-header.ts";
import type { SafetensorsFile } from "../format/safetensors.ts";
import { FormatError } from "../util/errors.ts";
import { WEIGHTS_INDEX } from "./weights-index.ts";

/**
 * Which shard each tensor is read from. The index decides; a tensor that it does not list is taken from where it is. A tensor may stand
 * in several shards, as where a shard with some new weights was laid over old ones: transformers takes the last one by name, whatever
 * the index says, so where the two differ the copies must be equal. Throws FormatError naming tensor and shards otherwise.
 */
export async function placeTensors(
  dir: string,
  shards: ReadonlyMap<string, SafetensorsFile>,
  shardOf: ReadonlyMap<string, string>,
): Promise<ReadonlyMap<string, SafetensorsFile>> {
  const holders = new Map<string, string[]>();
  for (const shard of [...shards.keys()].toSorted()) {
    for (const name of shards.get(shard)!.tensors.keys()) {
      holders.set(name, [...(holders.get(name) ?? []), shard]);
    }
  }
  expectListedTensors(dir, holders, shardOf);
  const placed = new Map<string, SafetensorsFile>();
  for (const [name, holding] of holders) {
    const last = holding.at(-1)!; // at least one holds it
    const shard = shardOf.get(name) ?? last;
    if (shard !== last) await expectEqual(dir, shards, { name, shard, last });
    placed.set(name, shards.get(shard)!);
  }
  return placed;
}

function expectListedTensors(
  dir: string,
  holders: ReadonlyMap<string, readonly string[]>,
  shardOf: ReadonlyMap<string, string>,
): void {
  for (const [name, shard] of shardOf) {
    if (holders.get(name)?.includes(shard) === true) continue;
    throw new FormatError(
      `${dir}: ${WEIGHTS_INDEX} puts tensor ${quoteName(name)} in ${shard}, it is not there`,
      { hint: "Index and shards come from different downloads: download all of them again." },
    );
  }
}

async function expectEqual(
  dir: string,
  shards: ReadonlyMap<string, SafetensorsFile>,
  { name, shard, last }: { readonly name: string; readonly shard: string; readonly last: string },
): Promise<void> {
  const [own, other] = [shards.get(shard)!, shards.get(last)!];
  const [a, b] = [own, other].map((file) => file.tensors.get(name)!); // both hold it
  const isAlike = a!.dtype === b!.dtype && a!.shape.join() === b!.shape.join();
  if (isAlike && Buffer.compare(await own.readBytes(name), await other.readBytes(name)) === 0) {
    return;
  }
  throw new FormatError(
    `${dir}: ${WEIGHTS_INDEX} puts tensor ${quoteName(name)} in ${shard}, and ${last} has other values for it`,
    {
      hint: `transformers takes those of ${last}, other programs those of ${shard}: take the tensor out of the shard that is old.`,
    },
  );
}
