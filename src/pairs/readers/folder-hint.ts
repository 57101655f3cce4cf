import { readdir } from "node:fs/promises";

/** What to do with files of the package datasets' save_to_disk. */
export const ARROW_HINT =
  'The package datasets writes such files for itself: load_from_disk(FOLDER).to_parquet("pairs.parquet") makes one that can be read here.';

/** What to do where a folder stands for its files. */
export async function folderHint(folder: string): Promise<string> {
  const names = await readdir(folder).catch((): string[] => []);
  if (names.some((name) => name.endsWith(".arrow"))) return ARROW_HINT;
  return `Name its files, for example "${folder.replace(/\/+$/, "")}/*.parquet" in quotes.`;
}
