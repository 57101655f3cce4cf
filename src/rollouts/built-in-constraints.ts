/**
 * @file The formatting constraints that ship with the program: sentences of our own that ask for a form and say nothing of the matter.
 * Ids are IFEval's kinds (arXiv 2311.07911), with a third part where one kind is here several times.
 */
import type { Constraint } from "./constraints.ts";

/** One a line: id, tag, text. */
const TABLE = `
length_constraints:number_words:at-most-50 | short | Keep the whole answer to fifty words or fewer.
length_constraints:number_words:at-most-100 | short | Do not go over one hundred words.
length_constraints:number_words:at-least-200 | long | Write two hundred words at the very least.
length_constraints:number_sentences:one | short | Put everything into a single sentence.
length_constraints:number_sentences:three | short | Use exactly three sentences.
length_constraints:number_sentences:at-least-eight | long | The answer must have no fewer than eight sentences.
length_constraints:number_paragraphs:two | paragraphs | Write exactly two paragraphs with an empty line between them.
length_constraints:number_paragraphs:four | paragraphs | Give me four paragraphs, and set three asterisks on a line of their own between them.
length_constraints:nth_paragraph_first_word | paragraphs | Write three paragraphs, and let the second begin with the word "Meanwhile".
detectable_format:number_bullet_lists:three | list | Answer with exactly three bullet points, each line starting with an asterisk.
detectable_format:number_bullet_lists:five | list | Format the answer as five bullet points, each beginning with a dash.
detectable_format:number_bullet_lists:seven | list | I need it as a bulleted list with seven items.
detectable_format:numbered_list | list | Lay the answer out as a numbered list that counts from 1.
detectable_format:multiple_sections:two | heading | Divide the answer into two parts titled "SECTION 1" and "SECTION 2".
detectable_format:multiple_sections:headings | heading | Break the answer up with at least three Markdown headings.
detectable_format:title | heading | Put a title in double angle brackets, like <<title>>, above the answer.
detectable_format:json_format:object | json | Return the whole answer as one JSON object.
detectable_format:json_format:array | json | Reply with a JSON array of strings and with nothing around it.
detectable_format:yaml | code | Write the whole answer as valid YAML.
detectable_format:xml | code | Wrap every part of the answer in XML tags.
detectable_format:code_block | code | Place the whole answer inside one fenced code block.
detectable_format:table | table | Show the answer as a Markdown table with two columns.
detectable_format:number_highlighted_sections:bold | bold | Set at least three phrases in bold with double asterisks.
detectable_format:number_highlighted_sections:italic | bold | Mark two or more phrases with single asterisks, *like this*.
detectable_content:number_placeholders | placeholder | Leave at least two placeholders in square brackets, such as [name].
detectable_content:postscript | postscript | Add a postscript at the end that starts with "P.S.".
change_case:english_lowercase | lower-case | Write everything in lower case, without a single capital letter.
change_case:english_capital | capitals | Write everything in capital letters, please.
change_case:capital_word_frequency | capitals | Spell at least five words entirely in capitals.
punctuation:no_comma | punctuation | Do not use any commas.
punctuation:no_full_stop | punctuation | Leave out every full stop; begin a new line instead.
punctuation:no_exclamation | punctuation | Avoid exclamation marks and question marks.
startend:end_checker:helps | ending | Finish with exactly this sentence: "I hope this helps."
startend:end_checker:done | ending | The last line must be the word "Done" and nothing else.
startend:quotation | quotes | Put the entire answer between double quotation marks.
keywords:existence:lantern-river | keyword | Work the words "lantern" and "river" into the answer.
keywords:existence:first-last | keyword | Use both "first of all" and "last of all" somewhere.
keywords:frequency | keyword | Let the word "simply" occur three times or more.
keywords:forbidden_words | keyword | The words "very" and "really" must not occur.
keywords:letter_frequency | keyword | Make sure that the letter q appears at least four times.
language:response_language:french | language | Answer in French only.
language:response_language:german | language | Answer in German only.
combination:repeat_prompt | repeat | Repeat this request word for word before you answer it.
combination:two_responses | repeat | Give two different versions, with six asterisks on a line between them.
`;

export const BUILT_IN_CONSTRAINTS: readonly Constraint[] = TABLE.trim()
  .split("\n")
  .map((line) => {
    const [id, tag, text] = line.split(" | ") as [string, string, string]; // as the table is written
    return { id, text, tags: [tag] };
  });
