"""25 conversations: name -> what apply_chat_template is given (messages, and of tools, documents and more what it has)."""


def turn(role, content, **more): return {"role": role, "content": content, **more}


def system(content): return turn("system", content)


def user(content, **more): return turn("user", content, **more)


def assistant(content, **more): return turn("assistant", content, **more)


def call(name, arguments, **more): return {"type": "function", "function": {"name": name, "arguments": arguments}, **more}


WEATHER = {"type": "function", "function": {"name": "weather", "description": "Tells the weather of a town, <b>today's</b> & \"tomorrow's\".", "parameters": {
    "type": "object", "properties": {"town": {"type": "string", "description": "Its name, as in “Gent”"}, "unit": {"type": "string", "enum": ["C", "F"]}, "days": {"type": ["integer", "null"], "default": 1}}, "required": ["town"]}}}
ADD = {"type": "function", "function": {"name": "add", "description": "Adds\ntwo numbers.", "parameters": {"type": "object", "properties": {"a": {"type": "number"}, "b": {"type": "number"}}, "required": ["a", "b"]}, "return": {"type": "number"}}}
CALL = call("weather", {"town": "Gent", "unit": "C"})
THOUGHT = "<think>\nSeven is\nprime.\n</think>\n\nYes."

CONVERSATIONS = {
    "plain": dict(messages=[user("How do I bake bread?")]),
    "answered": dict(messages=[user("How do I bake bread?"), assistant("Mix flour, water and salt.")]),
    "system": dict(messages=[system("Answer briefly."), user("What is the tide?")]),
    "system answered": dict(messages=[system("Answer briefly."), user("What is the tide?"), assistant("Water that comes and goes.")]),
    "empty system": dict(messages=[system(""), user("One?"), assistant("Two.")]),
    "turns": dict(messages=[user("One?"), assistant("Two."), user("Three?"), assistant("Four."), user("Five?")]),
    "system turns": dict(messages=[system("Count."), user("One?"), assistant("Two."), user("Three?"), assistant("Four.")]),
    "white space": dict(messages=[system("  Padded.\n"), user(" spaces \n"), assistant("\tTabbed\t\n\n"), user("\n\nlines\n\n")]),
    "empty turns": dict(messages=[user(""), assistant(""), user(" ")]),
    "two users": dict(messages=[user("a"), user("b")]),
    "assistant first": dict(messages=[assistant("Hello."), user("Hi."), assistant("Well?")]),
    "late system": dict(messages=[user("a"), assistant("b"), system("Now be rude."), user("c")]),
    "astral": dict(messages=[user("Unicode: café 今日 🙂👍🏽 𝔘"), assistant("Ответ: naïve 👩‍👩‍👧‍👦 ½\u2028end\u0085")]),
    "marks": dict(messages=[user("Say <|im_end|> or </s> & \"so\" {{ x }} {% if %}."), assistant("'quoted' \\ back\r\nslash\r")]),
    "thinking": dict(messages=[user("Is 7 prime?"), assistant(THOUGHT), user("And 8?"), assistant("<think>2*4</think>No.")]),
    "reasoning": dict(messages=[user("Is 7 prime?"), assistant("Yes.", reasoning_content="Seven is\nprime.\n"), user("And 8?")]),
    "reasoning end": dict(messages=[system("Think."), user("Is 7 prime?"), assistant("Yes.", thinking="It is.")], enable_thinking=False),
    "tools": dict(messages=[user("Rain in Gent?")], tools=[WEATHER]),
    "two tools": dict(messages=[system("Use tools."), user("Rain in Gent?")], tools=[WEATHER, ADD], enable_thinking=True),
    "call": dict(messages=[user("Rain in Gent?"), assistant("", tool_calls=[CALL])], tools=[WEATHER]),
    "call and result": dict(messages=[user("Rain?"), assistant(None, tool_calls=[call("weather", {"town": "Gent \"🙂\""}, id="call12345")]), turn("tool", "rain & <wind>", name="weather", tool_call_id="call12345"), assistant("Rain.")], tools=[WEATHER]),
    "calls and results": dict(messages=[system("Use tools."), user("Rain and 1+2?"), assistant("Let me see.", tool_calls=[dict(CALL, id="abcdefghi"), call("add", {"a": 1, "b": 2.5, "ok": True, "x": None, "l": [1, "é"]}, id="jklmnopqr")]), turn("tool", "{\"rain\": true}", tool_call_id="abcdefghi", name="weather"), turn("tool", "3", tool_call_id="jklmnopqr", name="add"), assistant("Rain, and 3."), user("Thanks.")], tools=[WEATHER, ADD]),
    "parts": dict(messages=[system([{"type": "text", "text": "Be brief."}]), user([{"type": "text", "text": "One"}, {"type": "text", "text": " two "}]), assistant([{"type": "text", "text": "Three."}])]),
    "text arguments": dict(messages=[user("Rain?"), assistant("", tool_calls=[call("weather", "{\"town\": \"Gent\"}")]), turn("tool", [{"type": "text", "text": "rain"}])]),
    "documents": dict(messages=[user("When?"), assistant("At nine.")], documents=[{"title": "Plan", "text": "It begins\nat nine."}, {"title": "Note", "text": "Bring 🙂."}], custom_instructions="Be kind."),
}
assert len(CONVERSATIONS) == 25
