/**
 * Definitions by the words that they define. An entry of the glossary is a line `- **word**, **word**: meaning [other words]`; more words may
 * be defined in it behind a stop, `**word**: meaning`. Of a word with several entries the first counts.
 */
export function parseGlossary(text: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  const add = (word: string, meaning: string): void => {
    if (!found.has(word)) found.set(word, plain(meaning));
  };
  for (const line of text.split("\n")) {
    const entry = /^- (\*\*[^:]*): (.*)$/.exec(line);
    if (entry === null) continue;
    const [, head = "", rest = ""] = entry;
    const meaning = rest.replace(/\s*\[[^\]()]*\]\s*$/, "");
    for (const [, word = ""] of head.matchAll(/\*\*(.*?)\*\*/g)) add(word, meaning);
    for (const [, word = "", own = ""] of meaning.matchAll(/\. \*\*([^*]+)\*\*: ([^.]*\.)/g)) {
      add(word, own);
    }
  }
  return found;
}

/** Without marks of Markdown, and links by their text. */
function plain(markdown: string): string {
  return markdown
    .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1")
    .replaceAll("**", "")
    .replaceAll("`", "")
    .trim();
}
