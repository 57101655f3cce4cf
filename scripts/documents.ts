/** @file Parts of documents that are made from the code stand between `<!-- NAME -->` and `<!-- /NAME -->`. */

export const atRoot = (path: string): URL => new URL(`../${path}`, import.meta.url);

/** The text with the part of this name replaced. Throws where it has none. */
export function between(text: string, name: string, part: string): string {
  const marked = new RegExp(`(<!-- ${name} -->\n\n)[^]*(\n\n<!-- /${name} -->)`);
  if (!marked.test(text)) throw new Error(`expected <!-- ${name} --> and <!-- /${name} -->`);
  return text.replace(marked, (_, head: string, tail: string) => `${head}${part}${tail}`);
}
