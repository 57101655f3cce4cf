/**
 * @file The formatting constraints that ship with the program: sentences of our own that ask for a form and say nothing of the matter.
 * Ids are IFEval's kinds (arXiv 2311.07911), with a third part where one kind is here several times.
 */
import type { Constraint } from "./constraints.ts";

const constraint = (id: string, text: string, ...tags: readonly string[]): Constraint => ({
  id,
  text,
  tags,
});

export const BUILT_IN_CONSTRAINTS: readonly Constraint[] = [
  constraint(
    "length_constraints:number_words:at-most-50",
    "Keep the whole answer to fifty words or fewer.",
    "short",
  ),
  constraint(
    "length_constraints:number_words:at-most-100",
    "Do not go over one hundred words.",
    "short",
  ),
  constraint(
    "length_constraints:number_words:at-least-200",
    "Write two hundred words at the very least.",
    "long",
  ),
  constraint(
    "length_constraints:number_sentences:one",
    "Put everything into a single sentence.",
    "short",
  ),
  constraint("length_constraints:number_sentences:three", "Use exactly three sentences.", "short"),
  constraint(
    "length_constraints:number_sentences:at-least-eight",
    "The answer must have no fewer than eight sentences.",
    "long",
  ),
  constraint(
    "length_constraints:number_paragraphs:two",
    "Write exactly two paragraphs with an empty line between them.",
    "paragraphs",
  ),
  constraint(
    "length_constraints:number_paragraphs:four",
    "Give me four paragraphs, and set three asterisks on a line of their own between them.",
    "paragraphs",
  ),
  constraint(
    "length_constraints:nth_paragraph_first_word",
    'Write three paragraphs, and let the second begin with the word "Meanwhile".',
    "paragraphs",
  ),
  constraint(
    "detectable_format:number_bullet_lists:three",
    "Answer with exactly three bullet points, each line starting with an asterisk.",
    "list",
  ),
  constraint(
    "detectable_format:number_bullet_lists:five",
    "Format the answer as five bullet points, each beginning with a dash.",
    "list",
  ),
  constraint(
    "detectable_format:number_bullet_lists:seven",
    "I need it as a bulleted list with seven items.",
    "list",
  ),
  constraint(
    "detectable_format:numbered_list",
    "Lay the answer out as a numbered list that counts from 1.",
    "list",
  ),
  constraint(
    "detectable_format:multiple_sections:two",
    'Divide the answer into two parts titled "SECTION 1" and "SECTION 2".',
    "heading",
  ),
  constraint(
    "detectable_format:multiple_sections:headings",
    "Break the answer up with at least three Markdown headings.",
    "heading",
  ),
  constraint(
    "detectable_format:title",
    "Put a title in double angle brackets, like <<title>>, above the answer.",
    "heading",
  ),
  constraint(
    "detectable_format:json_format:object",
    "Return the whole answer as one JSON object.",
    "json",
  ),
  constraint(
    "detectable_format:json_format:array",
    "Reply with a JSON array of strings and with nothing around it.",
    "json",
  ),
  constraint("detectable_format:yaml", "Write the whole answer as valid YAML.", "code"),
  constraint("detectable_format:xml", "Wrap every part of the answer in XML tags.", "code"),
  constraint(
    "detectable_format:code_block",
    "Place the whole answer inside one fenced code block.",
    "code",
  ),
  constraint(
    "detectable_format:table",
    "Show the answer as a Markdown table with two columns.",
    "table",
  ),
  constraint(
    "detectable_format:number_highlighted_sections:bold",
    "Set at least three phrases in bold with double asterisks.",
    "bold",
  ),
  constraint(
    "detectable_format:number_highlighted_sections:italic",
    "Mark two or more phrases with single asterisks, *like this*.",
    "bold",
  ),
  constraint(
    "detectable_content:number_placeholders",
    "Leave at least two placeholders in square brackets, such as [name].",
    "placeholder",
  ),
  constraint(
    "detectable_content:postscript",
    'Add a postscript at the end that starts with "P.S.".',
    "postscript",
  ),
  constraint(
    "change_case:english_lowercase",
    "Write everything in lower case, without a single capital letter.",
    "lower-case",
  ),
  constraint(
    "change_case:english_capital",
    "Write everything in capital letters, please.",
    "capitals",
  ),
  constraint(
    "change_case:capital_word_frequency",
    "Spell at least five words entirely in capitals.",
    "capitals",
  ),
  constraint("punctuation:no_comma", "Do not use any commas.", "punctuation"),
  constraint(
    "punctuation:no_full_stop",
    "Leave out every full stop; begin a new line instead.",
    "punctuation",
  ),
  constraint(
    "punctuation:no_exclamation",
    "Avoid exclamation marks and question marks.",
    "punctuation",
  ),
  constraint(
    "startend:end_checker:helps",
    'Finish with exactly this sentence: "I hope this helps."',
    "ending",
  ),
  constraint(
    "startend:end_checker:done",
    'The last line must be the word "Done" and nothing else.',
    "ending",
  ),
  constraint(
    "startend:quotation",
    "Put the entire answer between double quotation marks.",
    "quotes",
  ),
  constraint(
    "keywords:existence:lantern-river",
    'Work the words "lantern" and "river" into the answer.',
    "keyword",
  ),
  constraint(
    "keywords:existence:first-last",
    'Use both "first of all" and "last of all" somewhere.',
    "keyword",
  ),
  constraint("keywords:frequency", 'Let the word "simply" occur three times or more.', "keyword"),
  constraint(
    "keywords:forbidden_words",
    'The words "very" and "really" must not occur.',
    "keyword",
  ),
  constraint(
    "keywords:letter_frequency",
    "Make sure that the letter q appears at least four times.",
    "keyword",
  ),
  constraint("language:response_language:french", "Answer in French only.", "language"),
  constraint("language:response_language:german", "Answer in German only.", "language"),
  constraint(
    "combination:repeat_prompt",
    "Repeat this request word for word before you answer it.",
    "repeat",
  ),
  constraint(
    "combination:two_responses",
    "Give two different versions, with six asterisks on a line between them.",
    "repeat",
  ),
];
