/** This package's folder: two up from src/util, and two up from every folder of dist that holds built code (vite.node.config.ts). */
const PACKAGE = new URL("../../", import.meta.url);

/** The address of a file or folder that comes with this package, by its path in it. A folder's ends with a slash. */
export function packageFile(path: string): URL {
  return new URL(path, PACKAGE);
}
