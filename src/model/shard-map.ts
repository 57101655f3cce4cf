import { FormatError } from "../util/errors.ts";

/** Tensor name to shard file, from the text of `model.safetensors.index.json`. */
export function readShardMap(text: string, where: string): ReadonlyMap<string, string> {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new FormatError(`${where}: not valid JSON`, { hint: "Download it again.", cause: error });
  }
  const map =
    typeof json === "object" && json !== null && "weight_map" in json ? json.weight_map : undefined;
  if (typeof map !== "object" || map === null || Object.keys(map).length === 0) {
    throw new FormatError(`${where}: expected a "weight_map" object with tensors`, {
      hint: "Download it again.",
    });
  }
  return new Map(
    Object.entries(map).map(([tensor, file]: [string, unknown]) => {
      // A name from elsewhere must not lead out of the folder.
      if (typeof file !== "string" || !/^[^/\\]+\.safetensors$/.test(file)) {
        throw new FormatError(
          `${where}: tensor "${tensor}": expected the name of a safetensors file, got ${JSON.stringify(file)}`,
        );
      }
      return [tensor, file];
    }),
  );
}
