"""What transformers makes of chat templates: single constructs, and conversations by whole templates.

    python make_templates.py                          writes constructs.json and renderings.json (deterministic; needs transformers, jinja2)
    python make_templates.py --published FOLDER… OUT  the same for the *.jinja files in these folders, with all texts, to OUT

constructs.json  context, and cases: [group, template, text] or, where Python fails, [group, template, null, exception, its words]
renderings.json  conversations, templates (our own: see cases/templates.py), and for each template 50 outcomes, for each conversation without and
                 with the generation prompt: the first 8 hexadecimal digits of the text's SHA-256, "refused" plus that of the template's own
                 words, or "fails". texts: all texts of some templates.

Exception "Address": the text has an address in memory, another one in each run. "Random": it differs from run to run by intent.
Templates that print the date see 26 July 2024.
"""
import datetime, hashlib, json, random, re, sys
from pathlib import Path

import jinja2, tokenizers, transformers
import transformers.utils.chat_template_utils as chat_utils
from jinja2.exceptions import TemplateError
from transformers import PreTrainedTokenizerFast

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE / "cases")]
from constructs import CONTEXT, cases  # noqa: E402
from conversations import CONVERSATIONS  # noqa: E402
from golden_json import dumps  # noqa: E402
from templates import TEMPLATES  # noqa: E402

transformers.logging.set_verbosity_error()
SPECIAL_TOKENS = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>", "pad_token": "<pad>"}
WITH_TEXTS = ["qwen3", "llama3.1", "printing", "zephyr CRLF", "field: tools", "field: set in a loop", "field: continue", "field: line ends CRLF"]


class FixedClock(datetime.datetime):
    @classmethod
    def now(cls, tz=None): return cls(2024, 7, 26)


chat_utils.datetime = FixedClock
TOKENIZER = PreTrainedTokenizerFast(tokenizer_object=tokenizers.Tokenizer(tokenizers.models.BPE()), **SPECIAL_TOKENS)


def copy(value): return json.loads(json.dumps(value))


def outcome(render):
    """[text], or [None, the exception's name, its words]."""
    try:
        random.seed(1)
        text = render()
        random.seed(2)
        again = render()
    except Exception as error:
        return [None, type(error).__name__, str(error)]
    if re.search(r" at 0x[0-9a-f]{6,}", text): return [None, "Address", ""]
    return [text] if text == again else [None, "Random", ""]


def construct(group, template):
    got = outcome(lambda: chat_utils._compile_jinja_template(template).render(**copy(CONTEXT)))
    # The words are the template's own where it raised the exception, else Python's.
    return [group, template, *(got if got[0] is not None or got[1] == "TemplateError" else got[:2])]


def render(template, conversation, add_generation_prompt):
    given = copy(conversation)
    return outcome(lambda: TOKENIZER.apply_chat_template(
        given["messages"], chat_template=template, add_generation_prompt=add_generation_prompt, tokenize=False,
        **{name: value for name, value in given.items() if name != "messages"}))


def renderings(template): return [render(template, each, prompt) for each in CONVERSATIONS.values() for prompt in (False, True)]


def digest(text): return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]


def short(got):
    if got[0] is not None: return digest(got[0])
    return "refused" + digest(got[2]) if got[1] == "TemplateError" else "fails"


VERSIONS = {"transformers": transformers.__version__, "jinja2": jinja2.__version__}
if sys.argv[1:2] == ["--published"]:
    *folders, out = sys.argv[2:]
    files = sorted({path for folder in folders for path in Path(folder).rglob("*.jinja*")})
    texts = {f"{path.parent.name}/{path.name}": path.read_text(encoding="utf-8") for path in files}
else:
    out, texts = HERE / "renderings.json", TEMPLATES
    golden = {**VERSIONS, "context": CONTEXT, "cases": [construct(*case) for case in cases()]}
    (HERE / "constructs.json").write_text(dumps(golden))
all_outcomes = {name: renderings(text) for name, text in texts.items()}
Path(out).write_text(dumps({
    **VERSIONS, "specialTokens": SPECIAL_TOKENS, "conversations": list(CONVERSATIONS.items()), "templates": list(texts.items()),
    "outcomes": [[name, " ".join(map(short, each))] for name, each in all_outcomes.items()],
    "texts": [[name, [got[0] for got in each]] for name, each in all_outcomes.items() if name in WITH_TEXTS or texts is not TEMPLATES],
}))
count = sum(map(len, all_outcomes.values()))
fails = [got[1:] for each in all_outcomes.values() for got in each if got[0] is None]
print(f"{len(texts)} templates, {count} renderings, {len(fails)} of which fail")
