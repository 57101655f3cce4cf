"""Chat templates of our own in the manner of the published ones: the same marks and the same constructs, in words of our own.

TEMPLATES: name -> text. Each base stands there as it is and in two dresses that read alike to people and not to a parser: members by
subscript instead of by attribute, and every tag with white space control on both sides.
"""
import re

BASES = {}


def add(name, text): BASES[name] = text


# --- Llama 2, Mistral: the system turn goes into the user's, roles must alternate -----------------------------------------------------
add("llama2", """{% set ns = namespace(head='', want='user') %}{% for m in messages %}{% if loop.first and m.role == 'system' %}{% set ns.head = '<<SYS>>\\n' ~ m.content ~ '\\n<</SYS>>\\n\\n' %}{% continue %}{% endif %}{% if m.role != ns.want %}{{ raise_exception('Expected a turn of the ' ~ ns.want ~ ', got ' ~ m.role) }}{% endif %}{% if m.role == 'user' %}{{ bos_token ~ '[INST] ' ~ (ns.head ~ m.content).strip() ~ ' [/INST]' }}{% set ns.head = '' %}{% set ns.want = 'assistant' %}{% else %}{{ ' ' + m.content.strip() + ' ' + eos_token }}{% set ns.want = 'user' %}{% endif %}{% endfor %}""")
add("mistral-v1", """{{ bos_token }}{% for message in messages %}{% if (message.role == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('Conversation roles must alternate user/assistant/user/assistant/...') }}{% endif %}{% if message.role == 'user' %}{{ '[INST] ' + message.content + ' [/INST]' }}{% elif message.role == 'assistant' %}{{ message.content + eos_token + ' ' }}{% else %}{{ raise_exception('Only user and assistant roles are supported!') }}{% endif %}{% endfor %}""")
add("mistral-v3-tools", """
{%- if messages[0].role == "system" %}
    {%- set system_message = messages[0].content %}
    {%- set loop_messages = messages[1:] %}
{%- else %}
    {%- set loop_messages = messages %}
{%- endif %}
{%- if not tools is defined %}
    {%- set tools = none %}
{%- endif %}
{%- set user_messages = loop_messages | selectattr("role", "equalto", "user") | list %}
{%- set ns = namespace() %}
{%- set ns.index = 0 %}
{%- for message in loop_messages %}
    {%- if not (message.role == "tool" or message.role == "tool_results" or (message.tool_calls is defined and message.tool_calls is not none)) %}
        {%- if (message.role == "user") != (ns.index % 2 == 0) %}
            {{- raise_exception("After the optional system message, roles must alternate") }}
        {%- endif %}
        {%- set ns.index = ns.index + 1 %}
    {%- endif %}
{%- endfor %}
{{- bos_token }}
{%- for message in loop_messages %}
    {%- if message.role == "user" %}
        {%- if tools is not none and (message == user_messages[-1]) %}
            {{- "[AVAILABLE_TOOLS] [" }}
            {%- for tool in tools %}
                {%- set tool = tool.function %}
                {{- '{"type": "function", "function": {' }}
                {%- for key, val in tool.items() if key != "return" %}
                    {%- if val is string %}
                        {{- '"' + key + '": "' + val + '"' }}
                    {%- else %}
                        {{- '"' + key + '": ' + val|tojson }}
                    {%- endif %}
                    {%- if not loop.last %}
                        {{- ", " }}
                    {%- endif %}
                {%- endfor %}
                {{- "}}" }}
                {%- if not loop.last %}
                    {{- ", " }}
                {%- else %}
                    {{- "]" }}
                {%- endif %}
            {%- endfor %}
            {{- "[/AVAILABLE_TOOLS]" }}
        {%- endif %}
        {%- if loop.last and system_message is defined %}
            {{- "[INST] " + system_message + "\\n\\n" + message.content + "[/INST]" }}
        {%- else %}
            {{- "[INST] " + message.content + "[/INST]" }}
        {%- endif %}
    {%- elif message.tool_calls is defined and message.tool_calls is not none %}
        {{- "[TOOL_CALLS] [" }}
        {%- for tool_call in message.tool_calls %}
            {%- set out = tool_call.function|tojson %}
            {{- out[:-1] }}
            {%- if not tool_call.id is defined or tool_call.id|length != 9 %}
                {{- raise_exception("Tool call IDs should be alphanumeric strings with length 9!") }}
            {%- endif %}
            {{- ', "id": "' + tool_call.id + '"}' }}
            {%- if not loop.last %}
                {{- ", " }}
            {%- else %}
                {{- "]" + eos_token }}
            {%- endif %}
        {%- endfor %}
    {%- elif message.role == "assistant" %}
        {{- " " + message.content|trim + eos_token}}
    {%- elif message.role == "tool_results" or message.role == "tool" %}
        {%- if message.content is defined and message.content.content is defined %}
            {%- set content = message.content.content %}
        {%- else %}
            {%- set content = message.content %}
        {%- endif %}
        {{- '[TOOL_RESULTS] {"content": ' + content|string + ", " }}
        {{- '"call_id": "' + message.tool_call_id + '"}[/TOOL_RESULTS]' }}
    {%- else %}
        {{- raise_exception("Only user and assistant roles are supported, with the exception of an initial optional system message!") }}
    {%- endif %}
{%- endfor %}
""")
add("mistral-v7", """
{%- set today = strftime_now("%Y-%m-%d") %}
{%- set default_system_message = "You are a helpful assistant.\\nThe current date is " + today + "." %}
{{- bos_token }}
{%- if messages[0].role == 'system' %}
    {%- if messages[0].content is string %}
        {%- set system_message = messages[0].content %}
    {%- else %}
        {%- set system_message = messages[0].content[0].text %}
    {%- endif %}
    {%- set loop_messages = messages[1:] %}
{%- else %}
    {%- set system_message = default_system_message %}
    {%- set loop_messages = messages %}
{%- endif %}
{{- '[SYSTEM_PROMPT]' + system_message + '[/SYSTEM_PROMPT]' }}
{%- for message in loop_messages %}
    {%- if message.role == 'user' %}
        {%- if message.content is string %}
            {{- '[INST]' + message.content + '[/INST]' }}
        {%- else %}
            {{- '[INST]' }}
            {%- for block in message.content %}
                {%- if block.type == 'text' %}
                    {{- block.text }}
                {%- elif block.type in ['image', 'image_url'] %}
                    {{- '[IMG]' }}
                {%- else %}
                    {{- raise_exception('Only text and image blocks are supported in message content!') }}
                {%- endif %}
            {%- endfor %}
            {{- '[/INST]' }}
        {%- endif %}
    {%- elif message.role == 'system' %}
        {{- '[SYSTEM_PROMPT]' + message.content + '[/SYSTEM_PROMPT]' }}
    {%- elif message.role == 'assistant' %}
        {%- if message.content is string %}
            {{- message.content + eos_token }}
        {%- else %}
            {{- message.content[0].text + eos_token }}
        {%- endif %}
    {%- else %}
        {{- raise_exception('Only user, system and assistant roles are supported!') }}
    {%- endif %}
{%- endfor %}
""")
# --- Llama 3 -------------------------------------------------------------------------------------------------------------------------
add("llama3", """{% set loop_messages = messages %}{% for message in loop_messages %}{% set content = '<|start_header_id|>' + message.role + '<|end_header_id|>\\n\\n' + message.content | trim + '<|eot_id|>' %}{% if loop.index0 == 0 %}{% set content = bos_token + content %}{% endif %}{{ content }}{% endfor %}{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}{% endif %}""")
add("llama3.1", """
{%- macro header(role) %}{{ "<|start_header_id|>" ~ role ~ "<|end_header_id|>\\n\\n" }}{% endmacro %}
{%- set ns = namespace(tools_said=(tools is none)) %}
{%- set day = date_string if date_string is defined else strftime_now("%d %b %Y") %}
{{- bos_token ~ header("system") }}
{{- "Environment: ipython\\n" if tools is not none }}
{{- "Knowledge ends: December 2023\\nToday: " ~ day ~ "\\n\\n" }}
{%- if messages and messages[0].role == "system" %}
    {{- messages[0].content | trim }}
    {%- set messages = messages[1:] %}
{%- endif %}
{{- "<|eot_id|>" }}
{%- for m in messages %}
    {%- if m.tool_calls is defined and m.tool_calls | length > 1 %}
        {{- raise_exception("One call at a time, got " ~ m.tool_calls | length) }}
    {%- elif m.tool_calls is defined %}
        {%- set f = m.tool_calls[0].function %}
        {{- header("assistant") ~ '{"name": ' ~ f.name | tojson ~ ', "parameters": ' ~ f.arguments | tojson ~ "}" ~ "<|eot_id|>" }}
    {%- elif m.role in ["tool", "ipython"] %}
        {{- header("ipython") ~ (m.content | tojson if m.content is iterable else m.content) ~ "<|eot_id|>" }}
    {%- else %}
        {{- header(m.role) }}
        {%- if m.role == "user" and not ns.tools_said %}
            {%- for t in tools %}
                {{- t | tojson(indent=4) ~ "\\n\\n" }}
            {%- endfor %}
            {%- set ns.tools_said = true %}
        {%- endif %}
        {{- m.content | trim + "<|eot_id|>" }}
    {%- endif %}
{%- endfor %}
{{- header("assistant") if add_generation_prompt }}
""")
# --- ChatML and what came of it ---------------------------------------------------------------------------------------------------------
add("chatml", """{% for message in messages %}{{ '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>' + '\\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}""")
add("chatml-default-system", """{% for message in messages %}{% if loop.first and message.role != 'system' %}{{ '<|im_start|>system\\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>\\n' }}{% endif %}{{ '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>' + '\\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}""")
add("chatml-lines", """
{% for message in messages %}
<|im_start|>{{ message.role }}
{{ message.content }}<|im_end|>
{% endfor %}
{% if add_generation_prompt %}
<|im_start|>assistant
{% endif %}
""")
add("chatml-generation", """
{%- for message in messages %}
{%- if message.role == 'assistant' %}
<|im_start|>assistant
{% generation %}{{ message.content }}<|im_end|>{% endgeneration %}

{% else %}
<|im_start|>{{ message.role }}
{{ message.content }}<|im_end|>
{% endif %}
{%- endfor %}
{%- if add_generation_prompt %}<|im_start|>assistant
{% endif %}
""")
add("qwen2.5", """
{%- if tools %}
    {{- '<|im_start|>system\\n' }}
    {%- if messages[0].role == 'system' %}
        {{- messages[0].content }}
    {%- else %}
        {{- 'You are a helpful assistant.' }}
    {%- endif %}
    {{- "\\n\\n# Tools\\n\\nYou may call one or more functions.\\n\\n<tools>" }}
    {%- for tool in tools %}
        {{- "\\n" }}
        {{- tool | tojson }}
    {%- endfor %}
    {{- "\\n</tools>\\n\\n<tool_call>\\n{\\"name\\": <function-name>, \\"arguments\\": <args-json-object>}\\n</tool_call><|im_end|>\\n" }}
{%- else %}
    {%- if messages[0].role == 'system' %}
        {{- '<|im_start|>system\\n' + messages[0].content + '<|im_end|>\\n' }}
    {%- else %}
        {{- '<|im_start|>system\\nYou are a helpful assistant.<|im_end|>\\n' }}
    {%- endif %}
{%- endif %}
{%- for message in messages %}
    {%- if (message.role == "user") or (message.role == "system" and not loop.first) or (message.role == "assistant" and not message.tool_calls) %}
        {{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>' + '\\n' }}
    {%- elif message.role == "assistant" %}
        {{- '<|im_start|>' + message.role }}
        {%- if message.content %}
            {{- '\\n' + message.content }}
        {%- endif %}
        {%- for tool_call in message.tool_calls %}
            {%- if tool_call.function is defined %}
                {%- set tool_call = tool_call.function %}
            {%- endif %}
            {{- '\\n<tool_call>\\n{"name": "' }}
            {{- tool_call.name }}
            {{- '", "arguments": ' }}
            {{- tool_call.arguments | tojson }}
            {{- '}\\n</tool_call>' }}
        {%- endfor %}
        {{- '<|im_end|>\\n' }}
    {%- elif message.role == "tool" %}
        {%- if (loop.index0 == 0) or (messages[loop.index0 - 1].role != "tool") %}
            {{- '<|im_start|>user' }}
        {%- endif %}
        {{- '\\n<tool_response>\\n' }}
        {{- message.content }}
        {{- '\\n</tool_response>' }}
        {%- if loop.last or (messages[loop.index0 + 1].role != "tool") %}
            {{- '<|im_end|>\\n' }}
        {%- endif %}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\\n' }}
{%- endif %}
""")
add("qwen3", """
{%- if tools %}
    {{- '<|im_start|>system\\n' }}
    {%- if messages[0].role == 'system' %}
        {{- messages[0].content + '\\n\\n' }}
    {%- endif %}
    {{- "# Tools\\n\\n<tools>" }}
    {%- for tool in tools %}
        {{- "\\n" }}
        {{- tool | tojson }}
    {%- endfor %}
    {{- "\\n</tools><|im_end|>\\n" }}
{%- elif messages[0].role == 'system' %}
    {{- '<|im_start|>system\\n' + messages[0].content + '<|im_end|>\\n' }}
{%- endif %}
{%- set ns = namespace(multi_step_tool=true, last_query_index=messages|length - 1) %}
{%- for message in messages[::-1] %}
    {%- set index = (messages|length - 1) - loop.index0 %}
    {%- if ns.multi_step_tool and message.role == "user" and message.content is string and not(message.content.startswith('<tool_response>') and message.content.endswith('</tool_response>')) %}
        {%- set ns.multi_step_tool = false %}
        {%- set ns.last_query_index = index %}
    {%- endif %}
{%- endfor %}
{%- for message in messages %}
    {%- if message.content is string %}
        {%- set content = message.content %}
    {%- else %}
        {%- set content = '' %}
    {%- endif %}
    {%- if (message.role == "user") or (message.role == "system" and not loop.first) %}
        {{- '<|im_start|>' + message.role + '\\n' + content + '<|im_end|>' + '\\n' }}
    {%- elif message.role == "assistant" %}
        {%- set reasoning_content = '' %}
        {%- if message.reasoning_content is string %}
            {%- set reasoning_content = message.reasoning_content %}
        {%- else %}
            {%- if '</think>' in content %}
                {%- set reasoning_content = content.split('</think>')[0].rstrip('\\n').split('<think>')[-1].lstrip('\\n') %}
                {%- set content = content.split('</think>')[-1].lstrip('\\n') %}
            {%- endif %}
        {%- endif %}
        {%- if loop.index0 > ns.last_query_index %}
            {%- if loop.last or (not loop.last and reasoning_content) %}
                {{- '<|im_start|>' + message.role + '\\n<think>\\n' + reasoning_content.strip('\\n') + '\\n</think>\\n\\n' + content.lstrip('\\n') }}
            {%- else %}
                {{- '<|im_start|>' + message.role + '\\n' + content }}
            {%- endif %}
        {%- else %}
            {{- '<|im_start|>' + message.role + '\\n' + content }}
        {%- endif %}
        {%- if message.tool_calls %}
            {%- for tool_call in message.tool_calls %}
                {%- if (loop.first and content) or (not loop.first) %}
                    {{- '\\n' }}
                {%- endif %}
                {%- if tool_call.function %}
                    {%- set tool_call = tool_call.function %}
                {%- endif %}
                {{- '<tool_call>\\n{"name": "' }}
                {{- tool_call.name }}
                {{- '", "arguments": ' }}
                {%- if tool_call.arguments is string %}
                    {{- tool_call.arguments }}
                {%- else %}
                    {{- tool_call.arguments | tojson }}
                {%- endif %}
                {{- '}\\n</tool_call>' }}
            {%- endfor %}
        {%- endif %}
        {{- '<|im_end|>\\n' }}
    {%- elif message.role == "tool" %}
        {%- if loop.first or (messages[loop.index0 - 1].role != "tool") %}
            {{- '<|im_start|>user' }}
        {%- endif %}
        {{- '\\n<tool_response>\\n' }}
        {{- content }}
        {{- '\\n</tool_response>' }}
        {%- if loop.last or (messages[loop.index0 + 1].role != "tool") %}
            {{- '<|im_end|>\\n' }}
        {%- endif %}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\\n' }}
    {%- if enable_thinking is defined and enable_thinking is false %}
        {{- '<think>\\n\\n</think>\\n\\n' }}
    {%- endif %}
{%- endif %}
""")
add("qwen3-coder", """
{% macro render_extra_keys(json_dict, handled_keys) %}
    {%- if json_dict is mapping %}
        {%- for json_key in json_dict if json_key not in handled_keys %}
            {%- if json_dict[json_key] is mapping or (json_dict[json_key] is sequence and json_dict[json_key] is not string) %}
                {{- '\\n<' ~ json_key ~ '>' ~ (json_dict[json_key] | tojson | safe) ~ '</' ~ json_key ~ '>' }}
            {%- else %}
                {{- '\\n<' ~ json_key ~ '>' ~ (json_dict[json_key] | string) ~ '</' ~ json_key ~ '>' }}
            {%- endif %}
        {%- endfor %}
    {%- endif %}
{% endmacro %}
{%- if messages[0].role == "system" %}
    {%- set system_message = messages[0].content %}
    {%- set loop_messages = messages[1:] %}
{%- else %}
    {%- set loop_messages = messages %}
{%- endif %}
{%- if not tools is defined %}
    {%- set tools = [] %}
{%- endif %}
{%- if system_message is defined %}
    {{- "<|im_start|>system\\n" + system_message }}
{%- else %}
    {%- if tools is iterable and tools | length > 0 %}
        {{- "<|im_start|>system\\nYou are a helpful AI assistant that can interact with a computer." }}
    {%- endif %}
{%- endif %}
{%- if tools is iterable and tools | length > 0 %}
    {{- "\\n\\n<tools>" }}
    {%- for tool in tools %}
        {%- if tool.function is defined %}
            {%- set tool = tool.function %}
        {%- endif %}
        {{- "\\n<function>\\n<name>" ~ tool.name ~ "</name>" }}
        {%- if tool.description is defined %}
            {{- '\\n<description>' ~ (tool.description | trim) ~ '</description>' }}
        {%- endif %}
        {{- '\\n<parameters>' }}
        {%- if tool.parameters is defined and tool.parameters is mapping and tool.parameters.properties is defined and tool.parameters.properties is mapping %}
            {%- for param_name, param_fields in tool.parameters.properties|items %}
                {{- '\\n<parameter>\\n<name>' ~ param_name ~ '</name>' }}
                {%- if param_fields.type is defined %}
                    {{- '\\n<type>' ~ (param_fields.type | string) ~ '</type>' }}
                {%- endif %}
                {%- set handled_keys = ['name', 'type', 'description'] %}
                {{- render_extra_keys(param_fields, handled_keys) }}
                {{- '\\n</parameter>' }}
            {%- endfor %}
        {%- endif %}
        {% set handled_keys = ['type', 'properties'] %}
        {{- render_extra_keys(tool.parameters, handled_keys) }}
        {{- '\\n</parameters>\\n</function>' }}
    {%- endfor %}
    {{- "\\n</tools>" }}
{%- endif %}
{%- if system_message is defined or (tools is iterable and tools | length > 0) %}
    {{- '<|im_end|>\\n' }}
{%- endif %}
{%- for message in loop_messages %}
    {%- if message.role == "assistant" and message.tool_calls is defined and message.tool_calls is iterable and message.tool_calls | length > 0 %}
        {{- '<|im_start|>' + message.role }}
        {%- if message.content is defined and message.content is string and message.content | trim | length > 0 %}
            {{- '\\n' + message.content | trim + '\\n' }}
        {%- endif %}
        {%- for tool_call in message.tool_calls %}
            {{- '\\n<tool_call>\\n<function=' + tool_call.function.name + '>\\n' }}
            {%- if tool_call.function.arguments is mapping %}
                {%- for args_name, args_value in tool_call.function.arguments|items %}
                    {{- '<parameter=' + args_name + '>\\n' }}
                    {%- set args_value = args_value | tojson | safe if args_value is mapping or (args_value is sequence and args_value is not string) else args_value | string %}
                    {{- args_value }}
                    {{- '\\n</parameter>\\n' }}
                {%- endfor %}
            {%- endif %}
            {{- '</function>\\n</tool_call>' }}
        {%- endfor %}
        {{- '<|im_end|>\\n' }}
    {%- elif message.role in ["user", "system", "assistant"] %}
        {{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>' + '\\n' }}
    {%- elif message.role == "tool" %}
        {%- if loop.previtem and loop.previtem.role != "tool" %}
            {{- '<|im_start|>user\\n' }}
        {%- endif %}
        {{- '<tool_response>\\n' }}
        {{- message.content }}
        {{- '\\n</tool_response>\\n' }}
        {%- if not loop.last and loop.nextitem.role != "tool" %}
            {{- '<|im_end|>\\n' }}
        {%- elif loop.last %}
            {{- '<|im_end|>\\n' }}
        {%- endif %}
    {%- else %}
        {{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\\n' }}
{%- endif %}
""")
add("qwen-vision", """{% set image_count = namespace(value=0) %}{% for message in messages %}{% if loop.first and message.role != 'system' %}<|im_start|>system
You are a helpful assistant.<|im_end|>
{% endif %}<|im_start|>{{ message.role }}
{% if message.content is string %}{{ message.content }}<|im_end|>
{% else %}{% for content in message.content %}{% if content.type == 'image' or 'image' in content or 'image_url' in content %}{% set image_count.value = image_count.value + 1 %}Picture {{ image_count.value }}: <|vision_start|><|image_pad|><|vision_end|>{% elif 'text' in content %}{{ content.text }}{% endif %}{% endfor %}<|im_end|>
{% endif %}{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant
{% endif %}""")
add("hermes", """
{%- macro json_to_python_type(json_spec) %}
{%- set basic_type_map = {"string": "str", "number": "float", "integer": "int", "boolean": "bool"} %}
{%- if basic_type_map[json_spec.type] is defined %}
    {{- basic_type_map[json_spec.type] }}
{%- elif json_spec.type == "array" %}
    {{- "list[" + json_to_python_type(json_spec|items) + "]"}}
{%- elif json_spec.type == "object" %}
    {%- if json_spec.additionalProperties is defined %}
        {{- "dict[str, " + json_to_python_type(json_spec.additionalProperties) + ']'}}
    {%- else %}
        {{- "dict" }}
    {%- endif %}
{%- elif json_spec.type is iterable and json_spec.type is not string %}
    {{- "Union[" }}
    {%- for t in json_spec.type %}
      {{- json_to_python_type({"type": t}) }}
      {%- if not loop.last %}
        {{- "," }}
    {%- endif %}
    {%- endfor %}
    {{- "]" }}
{%- else %}
    {{- "Any" }}
{%- endif %}
{%- endmacro %}
{{- bos_token }}
{{- '<|im_start|>system\\nYou are a function calling AI model. <tools> ' }}
{%- for tool in tools or [] %}
    {%- if tool.function is defined %}
        {%- set tool = tool.function %}
    {%- endif %}
    {{- '{"type": "function", "function": ' }}
    {{- '{"name": "' + tool.name + '", ' }}
    {{- '"description": "' + tool.name + '(' }}
    {%- for param_name, param_fields in tool.parameters.properties|items %}
        {{- param_name + ": " + json_to_python_type(param_fields) }}
        {%- if not loop.last %}
            {{- ", " }}
        {%- endif %}
    {%- endfor %}
    {{- ")" }}
    {%- if tool.return is defined %}
        {{- " -> " + json_to_python_type(tool.return) }}
    {%- endif %}
    {{- " - " + tool.description + "\\n\\n" }}
    {%- for param_name, param_fields in tool.parameters.properties|items %}
        {%- if loop.first %}
            {{- "    Args:\\n" }}
        {%- endif %}
        {{- "        " + param_name + "(" + json_to_python_type(param_fields) + "): " + param_fields.description|default('')|trim }}
    {%- endfor %}
    {{- '", "parameters": ' }}
    {%- if tool.parameters.properties | length == 0 %}
        {{- "{}" }}
    {%- else %}
        {{- tool.parameters|tojson }}
    {%- endif %}
    {{- "}" }}
    {%- if not loop.last %}
        {{- "\\n" }}
    {%- endif %}
{%- endfor %}
{{- " </tools><|im_end|>\\n" }}
{%- for message in messages %}
    {%- if message.role == "user" or message.role == "system" or (message.role == "assistant" and message.tool_calls is not defined) %}
        {{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>' + '\\n' }}
    {%- elif message.role == "assistant" %}
        {{- '<|im_start|>' + message.role }}
    {%- for tool_call in message.tool_calls %}
       {{- '\\n<tool_call>\\n' }}
           {%- if tool_call.function is defined %}
               {%- set tool_call = tool_call.function %}
           {%- endif %}
            {{- '{' }}
            {{- '"name": "' }}
            {{- tool_call.name }}
            {{- '"' }}
            {%- if tool_call.arguments is defined %}
            {{- ', ' }}
            {{- '"arguments": ' }}
            {{- tool_call.arguments|tojson }}
            {%- endif %}
             {{- '}' }}
            {{- '\\n</tool_call>' }}
    {%- endfor %}
        {{- '<|im_end|>\\n' }}
    {%- elif message.role == "tool" %}
        {%- if loop.previtem and loop.previtem.role != "tool" %}
            {{- '<|im_start|>tool\\n' }}
        {%- endif %}
        {{- '<tool_response>\\n' }}
        {{- message.content }}
        {%- if not loop.last %}
            {{- '\\n</tool_response>\\n' }}
        {%- else %}
            {{- '\\n</tool_response>' }}
        {%- endif %}
        {%- if not loop.last and loop.nextitem.role != "tool" %}
            {{- '<|im_end|>' }}
        {%- elif loop.last %}
            {{- '<|im_end|>' }}
        {%- endif %}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\\n' }}
{%- endif %}
""")
# --- Gemma -----------------------------------------------------------------------------------------------------------------------------
add("gemma", """{%- set names = {'user': 'user', 'assistant': 'model'} -%}{{ bos_token }}{% for m in messages %}{% if m.role not in names %}{{ raise_exception('No turns of the ' ~ m.role) }}{% elif loop.previtem is defined and loop.previtem.role == m.role %}{{ raise_exception('Two turns of the ' ~ m.role) }}{% elif loop.first and m.role != 'user' %}{{ raise_exception('The user begins') }}{% endif %}<start_of_turn>{{ names[m.role] }}
{{ m.content | trim }}<end_of_turn>
{% endfor %}{{ '<start_of_turn>model\\n' if add_generation_prompt }}""")
add("gemma3", """
{{ bos_token }}
{%- macro words(content) -%}
    {%- if content is string -%}{{ content | trim }}
    {%- elif content is iterable -%}
        {%- for part in content -%}
            {{ part.text | trim if part.type == 'text' else '<start_of_image>' }}
        {%- endfor -%}
    {%- else -%}{{ raise_exception('No content of this kind') }}
    {%- endif -%}
{%- endmacro -%}
{%- set first = messages[0] -%}
{%- set turns = messages[1:] if first.role == 'system' else messages -%}
{%- set lead = words(first.content) ~ '\\n\\n' if first.role == 'system' else '' -%}
{%- for m in turns -%}
    {%- if (m.role == 'user') is ne (loop.index is odd) -%}
        {{ raise_exception('User and assistant take turns') }}
    {%- endif -%}
    {{ '<start_of_turn>' ~ ('model' if m.role == 'assistant' else m.role) ~ '\\n' ~ (lead if loop.first) ~ words(m.content) }}
    {{- '<end_of_turn>\\n' }}
{%- endfor -%}
{%- if add_generation_prompt -%}
    {{ '<start_of_turn>model\\n' }}
{%- endif -%}
""")
# --- Phi, Zephyr, Tulu, OLMo ---------------------------------------------------------------------------------------------------------------
add("phi3", """{% for message in messages %}{% if message.role == 'system' and message.content %}{{'<|system|>\\n' + message.content + '<|end|>\\n'}}{% elif message.role == 'user' %}{{'<|user|>\\n' + message.content + '<|end|>\\n'}}{% elif message.role == 'assistant' %}{{'<|assistant|>\\n' + message.content + '<|end|>\\n'}}{% endif %}{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>\\n' }}{% else %}{{ eos_token }}{% endif %}""")
add("phi4-mini", """{% for message in messages %}{% if message.role == 'system' and 'tools' in message and message.tools is not none %}{{ '<|' + message.role + '|>' + message.content + '<|tool|>' + message.tools + '<|/tool|>' + '<|end|>' }}{% else %}{{ '<|' + message.role + '|>' + message.content + '<|end|>' }}{% endif %}{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>' }}{% else %}{{ eos_token }}{% endif %}""")
add("zephyr", """
{% for message in messages %}
{% if message.role == 'user' %}
{{ '<|user|>
' + message.content + eos_token }}
{% elif message.role == 'system' %}
{{ '<|system|>
' + message.content + eos_token }}
{% elif message.role == 'assistant' %}
{{ '<|assistant|>
'  + message.content + eos_token }}
{% endif %}
{% if loop.last and add_generation_prompt %}
{{ '<|assistant|>' }}
{% endif %}
{% endfor %}
""")
add("tulu", """{% for message in messages %}{% if message.role == 'system' %}{{ '<|system|>\\n' + message.content + '\\n' }}{% elif message.role == 'user' %}{{ '<|user|>\\n' + message.content + '\\n' }}{% elif message.role == 'assistant' %}{% if not loop.last %}{{ '<|assistant|>\\n'  + message.content + eos_token + '\\n' }}{% else %}{{ '<|assistant|>\\n'  + message.content + eos_token }}{% endif %}{% endif %}{% if loop.last and add_generation_prompt %}{{ '<|assistant|>\\n' }}{% endif %}{% endfor %}""")
add("olmo2", """{{ bos_token }}{% for message in messages %}{% if message.role == 'system' %}{{ '<|system|>\\n' + message.content + '\\n' }}{% elif message.role == 'user' %}{{ '<|user|>\\n' + message.content + '\\n' }}{% elif message.role == 'assistant' %}{{ '<|assistant|>\\n' + message.content + eos_token + ('' if loop.last else '\\n') }}{% endif %}{% if loop.last and add_generation_prompt %}{{ '<|assistant|>\\n' }}{% endif %}{% endfor %}""")
add("olmo3", """{%- set has_system = messages|selectattr('role', 'equalto', 'system')|list|length > 0 -%}{%- if not has_system -%}{{- '<|im_start|>system\\nYou are Olmo, a helpful assistant. ' -}}{%- if tools is none or (tools | length) == 0 -%}{{- 'You do not currently have access to any functions. <functions></functions><|im_end|>\\n' -}}{%- else -%}{{- '<functions>' ~ (tools | map(attribute='function') | list | tojson) ~ '</functions><|im_end|>\\n' -}}{%- endif -%}{%- endif -%}{%- for message in messages -%}{%- if message.role == 'system' -%}{{- '<|im_start|>system\\n' + message.content -}}{%- if message.get('functions', none) is not none -%}{{- ' <functions>' + message.functions + '</functions><|im_end|>\\n' -}}{%- else -%}{{- ' <functions></functions><|im_end|>\\n' -}}{%- endif -%}{%- elif message.role == 'user' -%}{{- '<|im_start|>user\\n' + message.content + '<|im_end|>\\n' -}}{%- elif message.role == 'assistant' -%}{{- '<|im_start|>assistant\\n' -}}{%- if message.content is not none -%}{{- message.content -}}{%- endif -%}{%- if message.tool_calls is defined -%}{{- '<function_calls>' -}}{%- for tool_call in message.tool_calls -%}{{- tool_call.function.name ~ '(' -}}{%- if tool_call.function.arguments is mapping -%}{%- for name, value in tool_call.function.arguments.items() -%}{{- name ~ '=' ~ (value|tojson) -}}{%- if not loop.last -%}{{- ', ' -}}{%- endif -%}{%- endfor -%}{%- endif -%}{{- ')' -}}{%- if not loop.last -%}{{- '\\n' -}}{%- endif -%}{%- endfor -%}{{- '</function_calls>' -}}{%- endif -%}{%- if not loop.last -%}{{- '<|im_end|>' + '\\n' -}}{%- else -%}{{- eos_token -}}{%- endif -%}{%- elif message.role in ['environment', 'tool'] -%}{{- '<|im_start|>environment\\n' ~ message.content ~ '<|im_end|>\\n' -}}{%- endif -%}{%- if loop.last and add_generation_prompt -%}{{- '<|im_start|>assistant\\n' -}}{%- endif -%}{%- endfor -%}""")
# --- SmolLM3, Granite, DeepSeek, Cohere, functionary, GLM, EXAONE, gpt-oss ---------------------------------------------------------------------
add("smollm3", """
{# ───── defaults ───── #}
{%- if enable_thinking is not defined -%}
{%- set enable_thinking = true -%}
{%- endif -%}
{# ───── reasoning mode ───── #}
{%- if enable_thinking -%}
  {%- set reasoning_mode = "/think" -%}
{%- else -%}
  {%- set reasoning_mode = "/no_think" -%}
{%- endif -%}
{# ───── header (system message) ───── #}
{{- "<|im_start|>system\\n" -}}
{%- if messages[0].role == "system" -%}
  {%- set system_message = messages[0].content -%}
  {%- if "/no_think" in system_message -%}
    {%- set reasoning_mode = "/no_think" -%}
  {%- elif "/think" in system_message -%}
    {%- set reasoning_mode = "/think" -%}
  {%- endif -%}
  {%- set custom_instructions = system_message.replace("/no_think", "").replace("/think", "").rstrip() -%}
{%- endif -%}
{%- if "/system_override" in system_message -%}
  {{- custom_instructions.replace("/system_override", "").rstrip() -}}
  {{- "<|im_end|>\\n" -}}
{%- else -%}
  {{- "## Metadata\\n\\n" -}}
  {%- set today = strftime_now("%d %B %Y") -%}
  {{- "Today Date: " ~ today ~ "\\n" -}}
  {{- "Reasoning Mode: " + reasoning_mode + "\\n\\n" -}}
  {{- "## Custom Instructions\\n\\n" -}}
  {%- if custom_instructions -%}
    {{- custom_instructions + "\\n\\n" -}}
  {%- elif reasoning_mode == "/think" -%}
    {{- "Think first.\\n\\n" -}}
  {%- else -%}
    {{- "You are a helpful AI assistant.\\n\\n" -}}
  {%- endif -%}
  {%- if xml_tools or python_tools or tools -%}
    {{- "### Tools\\n\\n" -}}
    {%- if xml_tools or tools -%}
      {%- if tools -%}
        {%- set xml_tools = tools -%}
      {%- endif -%}
      {%- set ns = namespace(xml_tool_string="<tools>\\n") -%}
      {%- for tool in xml_tools[:] -%}
        {%- set ns.xml_tool_string = ns.xml_tool_string ~ (tool | string) ~ "\\n" -%}
      {%- endfor -%}
      {%- set xml_tool_string = ns.xml_tool_string + "</tools>" -%}
      {{- xml_tool_string -}}
    {%- endif -%}
    {{- "\\n\\n" -}}
  {%- endif -%}
  {{- "<|im_end|>\\n" -}}
{%- endif -%}
{# ───── main loop ───── #}
{%- for message in messages -%}
    {%- set content = message.content if message.content is string else "" -%}
    {%- if message.role == "user" -%}
        {{ "<|im_start|>" + message.role + "\\n"  + content + "<|im_end|>\\n" }}
    {%- elif message.role == "assistant" -%}
        {% generation %}
        {%- if reasoning_mode == "/think" -%}
            {{ "<|im_start|>assistant\\n" + content.lstrip("\\n") + "<|im_end|>\\n" }}
        {%- else -%}
            {{ "<|im_start|>assistant\\n" + "<think>\\n\\n</think>\\n" + content.lstrip("\\n") + "<|im_end|>\\n" }}
        {%- endif -%}
        {% endgeneration %}
    {%- elif message.role == "tool" -%}
    {{ "<|im_start|>" + "user\\n"  + content + "<|im_end|>\\n" }}
    {%- endif -%}
{%- endfor -%}
{# ───── generation prompt ───── #}
{%- if add_generation_prompt -%}
    {%- if reasoning_mode == "/think" -%}
        {{ "<|im_start|>assistant\\n" }}
    {%- else -%}
        {{ "<|im_start|>assistant\\n" + "<think>\\n\\n</think>\\n"  }}
    {%- endif -%}
{%- endif -%}
""")
add("granite", """
{%- if messages[0].role == 'system' %}
    {%- set system_message = messages[0].content %}
    {%- set loop_messages = messages[1:] %}
{%- else %}
    {%- set system_message = "Knowledge Cutoff Date: April 2024.\\nToday's Date: " + strftime_now('%B %d, %Y') + ".\\nYou are Granite." %}
    {%- if tools and documents %}
        {%- set system_message = system_message + " Use tools and documents." %}
    {%- elif tools %}
        {%- set system_message = system_message + " Use tools." %}
    {%- elif documents %}
        {%- set system_message = system_message + " Use documents." %}
    {%- else %}
        {%- set system_message = system_message + " Be helpful." %}
    {%- endif %}
    {%- if 'citations' in controls and documents %}
        {%- set system_message = system_message + ' Cite.' %}
    {%- endif %}
    {%- set loop_messages = messages %}
{%- endif %}
{{- '<|start_of_role|>system<|end_of_role|>' + system_message + '<|end_of_text|>\\n' }}
{%- if tools %}
    {{- '<|start_of_role|>available_tools<|end_of_role|>' }}
    {{- tools | tojson(indent=4) }}
    {{- '<|end_of_text|>\\n' }}
{%- endif %}
{%- if documents %}
    {%- for document in documents %}
        {{- '<|start_of_role|>document {"document_id": "' ~ loop.index ~ '"}<|end_of_role|>\\n' }}
        {{- document.text }}
        {{- '<|end_of_text|>\\n' }}
    {%- endfor %}
{%- endif %}
{%- for message in loop_messages %}
    {{- '<|start_of_role|>' + message.role + '<|end_of_role|>' + (message.content or '') + '<|end_of_text|>\\n' }}
    {%- if loop.last and add_generation_prompt %}
        {{- '<|start_of_role|>assistant' }}
        {%- if controls %}
            {{- ' ' + controls | tojson() }}
        {%- endif %}
        {{- '<|end_of_role|>' }}
    {%- endif %}
{%- endfor %}
""")
add("deepseek-r1", """{% if not add_generation_prompt is defined %}{% set add_generation_prompt = false %}{% endif %}{% set ns = namespace(is_first=false, is_tool=false, is_output_first=true, system_prompt='') %}{%- for message in messages %}{%- if message.role == 'system' %}{% set ns.system_prompt = message.content %}{%- endif %}{%- endfor %}{{bos_token}}{{ns.system_prompt}}{%- for message in messages %}{%- if message.role == 'user' %}{%- set ns.is_tool = false -%}{{'<｜User｜>' + message.content}}{%- endif %}{%- if message.role == 'assistant' and message.tool_calls is defined %}{%- set ns.is_tool = false -%}{%- for tool in message.tool_calls%}{%- if not ns.is_first %}{{'<｜Assistant｜><｜tool▁calls▁begin｜><｜tool▁call▁begin｜>' + tool.type + '<｜tool▁sep｜>' + tool.function.name + '\\n' + '```json' + '\\n' + tool.function.arguments|tojson + '\\n' + '```' + '<｜tool▁call▁end｜>'}}{%- set ns.is_first = true -%}{%- else %}{{'\\n' + '<｜tool▁call▁begin｜>' + tool.type + '<｜tool▁sep｜>' + tool.function.name + '\\n' + '```json' + '\\n' + tool.function.arguments|tojson + '\\n' + '```' + '<｜tool▁call▁end｜>'}}{{'<｜tool▁calls▁end｜><｜end▁of▁sentence｜>'}}{%- endif %}{%- endfor %}{%- endif %}{%- if message.role == 'assistant' and message.content is not none %}{%- if ns.is_tool %}{{'<｜tool▁outputs▁end｜>' + message.content + '<｜end▁of▁sentence｜>'}}{%- set ns.is_tool = false -%}{%- else %}{% set content = message.content %}{% if '</think>' in content %}{% set content = content.split('</think>')[-1] %}{% endif %}{{'<｜Assistant｜>' + content + '<｜end▁of▁sentence｜>'}}{%- endif %}{%- endif %}{%- if message.role == 'tool' %}{%- set ns.is_tool = true -%}{%- if ns.is_output_first %}{{'<｜tool▁outputs▁begin｜><｜tool▁output▁begin｜>' + message.content + '<｜tool▁output▁end｜>'}}{%- set ns.is_output_first = false %}{%- else %}{{'\\n<｜tool▁output▁begin｜>' + message.content + '<｜tool▁output▁end｜>'}}{%- endif %}{%- endif %}{%- endfor -%}{% if ns.is_tool %}{{'<｜tool▁outputs▁end｜>'}}{% endif %}{% if add_generation_prompt and not ns.is_tool %}{{'<｜Assistant｜><think>\\n'}}{% endif %}""")
add("command-r", """{{ bos_token }}{% set marks = dict(system='SYSTEM', user='USER', assistant='CHATBOT') %}{% for m in messages %}{% if m.role not in marks %}{{ raise_exception('What is a ' ~ m.role ~ '?') }}{% endif %}{{ '<|START_OF_TURN_TOKEN|><|' ~ marks[m.role] ~ '_TOKEN|>' + m.content.strip() + '<|END_OF_TURN_TOKEN|>' }}{% endfor %}{% if add_generation_prompt %}{{ '<|START_OF_TURN_TOKEN|><|CHATBOT_TOKEN|>' }}{% endif %}""")
add("command-r-tools", """
{%- macro json_to_python_type(json_spec) %}
{%- set basic_type_map = {"string": "str", "number": "float", "integer": "int", "boolean": "bool"} %}
{%- if json_spec.type is string and basic_type_map[json_spec.type] is defined %}
{{- basic_type_map[json_spec.type] }}
{%- elif json_spec.type is iterable and json_spec.type is not string %}
{{- "Union[" ~ json_spec.type | map('upper') | join(', ') ~ "]" }}
{%- else %}
{{- "Any" }}
{%- endif %}
{%- endmacro %}
{%- macro old_tool_parser(tools) %}
{%- for tool in tools %}
    {%- if loop.index0 != 0 %}
        {{- '\\n\\n' }}
    {%- endif %}
    {{- '```python\\ndef ' + tool.function.name + '(' }}
    {%- for param_name, param_fields in tool.function.parameters.properties|items %}
        {%- if loop.index0 != 0 %}
            {{- ', '}}
        {%- endif %}
        {{- param_name + ': ' }}
        {%- if not param_name in tool.function.parameters.required %}
            {{- 'Optional[' + json_to_python_type(param_fields) + '] = None'}}
        {%- else %}
            {{- json_to_python_type(param_fields) }}
        {%- endif %}
    {%- endfor %}
    {{- ') -> List[Dict]:\\n    \"\"\"'}}
    {{- tool.function.description }}
    {%- if tool.function.parameters.properties|length != 0 %}
        {{- '\\n\\n    Args:\\n        '}}
        {%- for param_name, param_fields in tool.function.parameters.properties|items %}
            {%- if loop.index0 != 0 %}
                {{- '\\n        ' }}
            {%- endif %}
            {{- param_name + ' ('}}
            {{- json_to_python_type(param_fields) + '): ' }}
            {{- param_fields.description }}
        {%- endfor %}
    {%- endif %}
    {{- '\\n    \"\"\"\\n    pass\\n```' }}
{%- endfor %}
{%- endmacro %}
{{- bos_token -}}
{%- if tools %}{{ old_tool_parser(tools) }}{% endif -%}
{%- for message in messages %}
    {%- if message.role|lower == 'system' %}
        {{- '<|SYSTEM_TOKEN|>' + message.content + '<|END|>' }}
    {%- elif message.role|lower == 'user' %}
        {{- '<|USER_TOKEN|>' + message.content + '<|END|>' }}
    {%- elif message.role|lower in ['assistant', 'chatbot'] %}
        {{- '<|CHATBOT_TOKEN|>' }}
        {%- if message.tool_calls|default([]) %}
            {{- 'Action: ```json\\n[\\n' }}
            {%- for tool_call in message.tool_calls %}
                {{- '{\\n'|indent(4, true) ~ '"tool_name": "'|indent(8, true) ~ tool_call.function.name ~ '",\\n' ~ '"parameters": '|indent(8, true) }}
                {%- if tool_call.function.arguments is defined and tool_call.function.arguments | length > 0 %}
                    {{- tool_call.function.arguments|tojson(indent=4)|indent(8) ~ '\\n' }}
                {%- else %}
                    {{- '{}\\n' }}
                {%- endif %}
                {{- '}'|indent(4, true) }}
                {%- if not loop.last %}{{- ',\\n' }}{%- endif %}
            {%- endfor %}
            {{- "\\n]```\\n" }}
        {%- else %}
            {{- message.content }}
        {%- endif %}
        {{- '<|END|>' }}
    {%- elif message.role|lower == 'tool' %}
        {{- '<results>\\nDocument: ' ~ loop.index0 ~ '\\n' ~ message.content|string|replace('\\n', ' ') ~ '</results>' }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}{{- '<|CHATBOT_TOKEN|>' }}{%- endif %}
""")
add("functionary", """{# version=v3-like #}{% macro generate_schema(functions) -%}{{ '// Supported function definitions.\\nnamespace functions {\\n' }}{%- for f in functions %}{%- set fn = f.function %}{{- '// ' ~ fn.description | replace('\\n', '\\n// ') ~ '\\n' }}{{- 'type ' ~ fn.name ~ ' = (_: {\\n' }}{%- for name, spec in fn.parameters.properties | dictsort %}{%- if spec.description is defined %}{{- '// ' ~ spec.description ~ '\\n' }}{%- endif %}{%- set optional = '' if name in fn.parameters.required | default([]) else '?' %}{%- if spec.enum is defined %}{%- set kind = spec.enum | map('tojson') | join(' | ') %}{%- elif spec.type is string %}{%- set kind = spec.type %}{%- else %}{%- set kind = spec.type | join(' | ') %}{%- endif %}{{- name ~ optional ~ ': ' ~ kind ~ ',' }}{%- if spec.default is defined %}{{- ' // default: ' ~ spec.default }}{%- endif %}{{- '\\n' }}{%- endfor %}{{- '}) => any;\\n\\n' }}{%- endfor %}{{- '} // namespace functions' }}{%- endmacro %}{{ bos_token }}{% if tools %}{{ '<|start_header_id|>system<|end_header_id|>\\n\\n' + generate_schema(tools) + '<|eot_id|>' }}{% endif %}{% for message in messages %}{% if message.role in ['user', 'system'] %}{{ '<|start_header_id|>' + message.role + '<|end_header_id|>\\n\\n' + message.content + '<|eot_id|>' }}{% elif message.role == 'tool' %}{{ '<|start_header_id|>tool<|end_header_id|>\\n\\n' ~ message.content ~ '<|eot_id|>' }}{% else %}{{ '<|start_header_id|>' + message.role + '<|end_header_id|>\\n\\n' }}{% if message.content %}{{ '>>>all\\n' + message.content }}{% endif %}{% if 'tool_calls' in message and message.tool_calls %}{% for tool_call in message.tool_calls %}{{ '>>>' + tool_call.function.name + '\\n' + (tool_call.function.arguments if tool_call.function.arguments is string else tool_call.function.arguments | tojson) }}{% endfor %}{% endif %}{{ '<|eot_id|>' }}{% endif %}{% endfor %}{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\\n\\n>>>' }}{% endif %}""")
add("glm", """
[gMASK]<sop>
{%- if tools -%}
<|system|>
# Tools
<tools>
{% for tool in tools %}
{{ tool | tojson(ensure_ascii=False) }}
{% endfor %}
</tools>
{%- endif -%}
{%- macro visible_text(content) -%}
    {%- if content is string -%}
        {{- content }}
    {%- elif content is iterable and content is not mapping -%}
        {%- for item in content -%}
            {%- if item is mapping and item.type == 'text' -%}
                {{- item.text }}
            {%- elif item is string -%}
                {{- item }}
            {%- endif -%}
        {%- endfor -%}
    {%- else -%}
        {{- content }}
    {%- endif -%}
{%- endmacro -%}
{%- set ns = namespace(last_user_index=-1) %}
{%- for m in messages %}
    {%- if m.role == 'user' %}
        {% set ns.last_user_index = loop.index0 -%}
    {%- endif %}
{%- endfor %}
{% for m in messages %}
{%- if m.role == 'user' -%}<|user|>
{{ visible_text(m.content) }}
{{- '/nothink' if (enable_thinking is defined and not enable_thinking and not visible_text(m.content).endswith("/nothink")) else '' -}}
{%- elif m.role == 'assistant' -%}
<|assistant|>
{%- set reasoning_content = '' %}
{%- set content = visible_text(m.content) %}
{%- if m.reasoning_content is string %}
    {%- set reasoning_content = m.reasoning_content %}
{%- else %}
    {%- if '</think>' in content %}
        {%- set reasoning_content = content.split('</think>')[0].rstrip('\\n').split('<think>')[-1].lstrip('\\n') %}
        {%- set content = content.split('</think>')[-1].lstrip('\\n') %}
    {%- endif %}
{%- endif %}
{%- if loop.index0 > ns.last_user_index and reasoning_content -%}
{{ '\\n<think>' + reasoning_content.strip() +  '</think>'}}
{%- else -%}
{{ '\\n<think></think>' }}
{%- endif -%}
{%- if content.strip() -%}
{{ '\\n' + content.strip() }}
{%- endif -%}
{% if m.tool_calls %}
{% for tc in m.tool_calls %}
{%- if tc.function %}
    {%- set tc = tc.function %}
{%- endif %}
{{ '\\n<tool_call>' + tc.name }}
{% set _args = tc.arguments %}
{% for k, v in _args.items() %}
<arg_key>{{ k }}</arg_key>
<arg_value>{{ v | tojson(ensure_ascii=False) if v is not string else v }}</arg_value>
{% endfor %}
</tool_call>{% endfor %}
{% endif %}
{%- elif m.role == 'tool' -%}
{%- if m.content is string -%}
{%- if loop.first or (messages[loop.index0 - 1].role != "tool") %}
    {{- '<|observation|>' }}
{%- endif %}
{{- '\\n<tool_response>\\n' }}
{{- m.content }}
{{- '\\n</tool_response>' }}
{%- else -%}
<|observation|>{% for tr in m.content %}

<tool_response>
{{ tr.output if tr.output is defined else tr }}
</tool_response>{% endfor -%}
{% endif -%}
{%- elif m.role == 'system' -%}
<|system|>
{{ visible_text(m.content) }}
{%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}
    <|assistant|>{{- '\\n<think></think>' if (enable_thinking is defined and not enable_thinking) else '' -}}
{%- endif -%}
""")
add("exaone-continue", """
{%- for message in messages %}
    {%- if message.role == 'system' %}
        {{- '[|system|]\\n' ~ message.content ~ '[|endofturn|]\\n' }}
        {%- continue %}
    {%- elif loop.first %}
        {{- '[|system|]\\n[|endofturn|]\\n' }}
    {%- endif %}
    {%- if message.role == 'tool' %}
        {%- set is_last_tool = loop.last or messages[loop.index0 + 1].role != 'tool' %}
        {{- '<tool_result>' ~ message.content | tojson ~ '</tool_result>' ~ ('[|endofturn|]\\n' if is_last_tool else '\\n') }}
        {%- continue %}
    {%- endif %}
    {%- if '</think>' in (message.content if message.content is string else '') %}
        {%- set thought = message.content.split('</think>')[0].split('<think>')[-1] %}
    {%- endif %}
    {{- '[|' ~ message.role ~ '|]\\n' }}
    {%- if message.role == 'assistant' and thought is defined and thought %}
        {{- '<think>' ~ thought ~ '</think>' }}
    {%- endif %}
    {{- (message.content | default('', true) | string).split('</think>')[-1] | trim }}
    {%- if message.tool_calls is defined %}
        {%- for call in message.tool_calls %}
            {%- if loop.index > 1 %}
                {{- '...' }}
                {%- break %}
            {%- endif %}
            {{- '<tool_call>' ~ {'name': call.function.name, 'arguments': call.function.arguments} | tojson ~ '</tool_call>' }}
        {%- endfor %}
    {%- endif %}
    {{- '[|endofturn|]\\n' }}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '[|assistant|]\\n' }}
{%- endif %}
""")
add("gpt-oss", """
{%- macro render_typescript_type(param_spec, required_params, is_nullable=false) -%}
    {%- if param_spec.type == "array" -%}
        {{- "any[]" }}
    {%- elif param_spec.type is defined and param_spec.type is iterable and param_spec.type is not string and param_spec.type is not mapping and param_spec.type[0] is defined -%}
        {%- if param_spec.type | length > 1 -%}
            {{- param_spec.type | join(" | ") }}
        {%- else -%}
            {{- param_spec.type[0] }}
        {%- endif -%}
    {%- elif param_spec.type == "string" -%}
        {%- if param_spec.enum -%}
            {{- '"' + param_spec.enum|join('" | "') + '"' -}}
        {%- else -%}
            {{- "string" }}
            {%- if param_spec.nullable or is_nullable %}{{- " | null" }}{%- endif -%}
        {%- endif -%}
    {%- elif param_spec.type in ["number", "integer"] -%}
        {{- "number" }}
    {%- else -%}
        {{- "any" }}
    {%- endif -%}
{%- endmacro -%}
{%- macro render_tool_namespace(namespace_name, tools) -%}
    {{- "## " + namespace_name + "\\n\\nnamespace " + namespace_name + " {\\n\\n" }}
    {%- for tool in tools %}
        {%- set tool = tool.function %}
        {{- "// " + tool.description + "\\ntype "+ tool.name + " = " }}
        {%- if tool.parameters and tool.parameters.properties %}
            {{- "(_: {\\n" }}
            {%- for param_name, param_spec in tool.parameters.properties.items() %}
                {%- if param_spec.description %}
                    {{- "// " + param_spec.description + "\\n" }}
                {%- endif %}
                {{- param_name }}
                {%- if param_name not in (tool.parameters.required or []) -%}
                    {{- "?" }}
                {%- endif -%}
                {{- ": " }}
                {{- render_typescript_type(param_spec, tool.parameters.required or []) }}
                {%- if param_spec.default is defined -%}
                    {%- if param_spec.enum %}
                        {{- ", // default: " + param_spec.default }}
                    {%- else %}
                        {{- ", // default: " + param_spec.default|tojson }}
                    {%- endif %}
                {%- endif -%}
                {%- if not loop.last %}{{- ",\\n" }}{%- else %}{{- "\\n" }}{%- endif -%}
            {%- endfor %}
            {{- "}) => any;\\n\\n" }}
        {%- else -%}
            {{- "() => any;\\n\\n" }}
        {%- endif -%}
    {%- endfor %}
    {{- "} // namespace " + namespace_name }}
{%- endmacro -%}
{%- set model_identity = model_identity | default("You are ChatGPT.") %}
{{- "<|start|>system<|message|>" ~ model_identity ~ "\\nCurrent date: " ~ strftime_now("%Y-%m-%d") ~ "\\n\\nReasoning: " ~ (reasoning_effort | d("medium")) ~ "<|end|>" }}
{%- if messages[0].role in ["developer", "system"] %}
    {%- set developer_message = messages[0].content %}
    {%- set loop_messages = messages[1:] %}
{%- else %}
    {%- set developer_message = "" %}
    {%- set loop_messages = messages %}
{%- endif %}
{%- if developer_message or tools %}
    {{- "<|start|>developer<|message|>" }}
    {%- if developer_message %}{{- "# Instructions\\n\\n" ~ developer_message }}{%- endif %}
    {%- if tools %}{{- "# Tools\\n\\n" + render_tool_namespace("functions", tools) }}{%- endif %}
    {{- "<|end|>" }}
{%- endif %}
{%- set last_tool_call = namespace(name=none) %}
{%- for message in loop_messages -%}
    {%- if message.role == 'assistant' -%}
        {%- if "tool_calls" in message %}
            {%- set future_final_message = namespace(found=false) %}
            {%- for future_message in loop_messages[loop.index:] %}
                {%- if future_message.role == 'assistant' and "tool_calls" not in future_message %}
                    {%- set future_final_message.found = true %}
                {%- endif %}
            {%- endfor %}
            {%- set tool_call = message.tool_calls[0] %}
            {%- if tool_call.function %}
                {%- set tool_call = tool_call.function %}
            {%- endif %}
            {%- if message.content and message.thinking %}
                {{- raise_exception("Cannot pass both content and thinking in an assistant message with tool calls!") }}
            {%- elif message.content and not future_final_message.found %}
                {{- "<|start|>assistant<|channel|>analysis<|message|>" + message.content + "<|end|>" }}
            {%- endif %}
            {{- "<|start|>assistant to=functions." + tool_call.name + "<|channel|>commentary json<|message|>" }}
            {{- tool_call.arguments|tojson }}
            {{- "<|call|>" }}
            {%- set last_tool_call.name = tool_call.name %}
        {%- elif loop.last and not add_generation_prompt %}
            {%- if "thinking" in message %}
                {{- "<|start|>assistant<|channel|>analysis<|message|>" + message.thinking + "<|end|>" }}
            {%- endif %}
            {{- "<|start|>assistant<|channel|>final<|message|>" + message.content + "<|return|>" }}
        {%- else %}
            {{- "<|start|>assistant<|channel|>final<|message|>" + message.content + "<|end|>" }}
            {%- set last_tool_call.name = none %}
        {%- endif %}
    {%- elif message.role == 'tool' -%}
        {%- if last_tool_call.name is none %}
            {{- raise_exception("Message has tool role, but there was no previous assistant message with a tool call!") }}
        {%- endif %}
        {{- "<|start|>functions." + last_tool_call.name }}
        {{- " to=assistant<|channel|>commentary<|message|>" + message.content|tojson + "<|end|>" }}
    {%- elif message.role == 'user' -%}
        {{- "<|start|>user<|message|>" + message.content + "<|end|>" }}
    {%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}
<|start|>assistant
{%- endif -%}
""")
add("scope", """{% for m in messages %}{% if m.role == 'assistant' and m.content is string and '</think>' in m.content %}{% set thought = m.content.split('</think>')[0].split('<think>')[-1] %}{% endif %}<|im_start|>{{ m.role }}
{% if m.role == 'assistant' and thought is defined %}[{{ thought }}]{% endif %}{{ m.content if m.content is string else m.content | map(attribute='text') | join }}<|im_end|>
{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant
{% endif %}""")
add("call-block", """{% macro turn(role, end='<|eot|>') %}<|{{ role }}|>{{ caller(role) }}{{ end }}{% endmacro %}{% for m in messages %}{% call(r) turn(m.role) %}{% if r == 'user' %}{{ loop.index }}: {% endif %}{% filter trim %}{{ m.content or '' }}{% endfilter %}{% endcall %}{% else %}nothing{% endfor %}{% set tail %}{% if add_generation_prompt %}<|assistant|>{% endif %}{% endset %}{{ tail }}""")
add("printing", """{% for m in messages %}{{ m }}
{{ m.items() | list }} {{ m.keys() }} {{ m | length }} {{ m.content | string | length }} {{ loop.index / 2 }} {{ loop.index // 2 }} {{ m.content is string }} {{ m.nothing }}{{ (m.tool_calls or []) | map(attribute='function') | map(attribute='arguments') | list }}
{% endfor %}{{ tools }} {{ documents }} {{ add_generation_prompt }} {{ [1.0, none, true, 'é'] }}""")
add("last-turns", """{% set system = messages | selectattr('role', 'equalto', 'system') | map(attribute='content') | first | default('none given', true) %}{% set rest = messages | rejectattr('role', 'in', ['system', 'tool']) | list %}{{ bos_token }}S:{{ system }}
{% for m in rest[-3:] %}{{ loop.index0 }}/{{ loop.length }} {{ m['role'] | upper | replace('ASSISTANT', 'BOT') }}:{{ ' ' ~ (m.content | string | trim) if m.content else '' }}{{ '\\n' if not loop.last }}{% endfor %}{{ '\\n' ~ 'BOT:' if add_generation_prompt and rest | last | attr('get') is callable else '' }}""")
add("vicuna", """{% if messages[0].role == 'system' %}{% set loop_messages = messages[1:] %}{% set system_message = messages[0].content | trim + '\\n\\n' %}{% else %}{% set loop_messages = messages %}{% set system_message = 'A chat between a curious user and an artificial intelligence assistant. ' %}{% endif %}{{ bos_token + system_message }}{% for message in loop_messages %}{% if message.role == 'user' %}{{ 'USER: ' + message.content | trim + '\\n' }}{% elif message.role == 'assistant' %}{{ 'ASSISTANT: ' + message.content | trim + eos_token + '\\n' }}{% endif %}{% if loop.last and message.role == 'user' and add_generation_prompt %}{{ 'ASSISTANT:' }}{% endif %}{% endfor %}""")
add("alpaca", """{% if messages[0].role == 'system' %}{% set loop_messages = messages[1:] %}{% set system_message = messages[0].content %}{% else %}{% set loop_messages = messages %}{% endif %}{% if system_message is defined %}{{ system_message }}{% endif %}{% for message in loop_messages %}{% if message.role == 'user' %}{{ '### Instruction:\\n' + message.content | trim + '\\n\\n' }}{% elif message.role == 'assistant' %}{{ '### Response:\\n' + message.content | trim }}{% if not loop.last %}{{ '\\n\\n' }}{% endif %}{% else %}{{ raise_exception("Role " ~ message.role ~ " isn't known.") }}{% endif %}{% endfor %}{% if add_generation_prompt and loop_messages[-1].role != 'assistant' %}{{ '### Response:\\n' }}{% endif %}""")


# --- Faults that were found in the field: tools and calls, a name that one round of a loop sets, text before continue, CRLF ------------------
add("field: tools", """{% if tools %}<|im_start|>system
{% for t in tools %}{{ t | tojson }}
{% endfor %}<|im_end|>
{% endif %}{% for m in messages %}<|im_start|>{{ m.role }}
{{ m.content or '' }}{% for c in m.tool_calls or [] %}<tool_call>{{ c.function | tojson }}</tool_call>{% endfor %}<|im_end|>
{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant
{% endif %}""")
add("field: set in a loop", """{% for m in messages %}{% if m.role == 'assistant' and '</think>' in m.content %}{% set thought = m.content.split('</think>')[0].split('<think>')[-1] %}{% endif %}<|im_start|>{{ m.role }}
{% if m.role == 'assistant' and thought is defined %}[{{ thought }}]{% endif %}{{ m.content.split('</think>')[-1] }}<|im_end|>
{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant
{% endif %}""")
add("field: continue", """{% for m in messages %}{% if m.role == 'system' %}<|im_start|>system
{{ m.content }}<|im_end|>
{% continue %}{% endif %}<|im_start|>{{ m.role }}
{{ m.content }}<|im_end|>
{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant
{% endif %}""")
add("field: line ends", """{%- for m in messages %}
<|im_start|>{{ m.role }}
{{ m.content }}<|im_end|>
{% endfor %}
{% if add_generation_prompt %}<|im_start|>assistant
{% endif %}""")

def by_subscript(text):
    """m.role as m['role'], for the keys of messages and calls; not for methods."""
    keys = "role|content|text|type|function|arguments|tool_calls|name|parameters|properties|description|required|reasoning_content|thinking"
    return re.sub(rf"(?<!last_tool_call)(?<=[\w\])])\.({keys})\b(?!\()", r"['\1']", text) if "'" in text else text


def dashed(text):
    """White space control on both sides of every tag; not inside text."""
    return re.sub(r"-?(%\}|\}\})", r"-\1", re.sub(r"(\{%|\{\{)-?", r"\1-", text))


TEMPLATES = {name + suffix: dress(text)
             for name, text in BASES.items()
             for suffix, dress in (("", str), (" by subscript", by_subscript), (" dashed", dashed), (" CRLF", lambda text: text.replace("\n", "\r\n")))
             if suffix == "" or (dress(text) != text and suffix != " CRLF") or (suffix == " CRLF" and text.count("\n") > 3)}
assert len(TEMPLATES) >= 100, len(TEMPLATES)
