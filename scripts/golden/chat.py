"""Writes test/golden/chat/golden.json: chat templates, messages, and what transformers' apply_chat_template makes of them.

The templates are written for this test, with the constructs that published ones use: one form for each family's habits.
Needs `transformers`. Run from the repository's root: python scripts/golden/chat.py
"""

import json
from pathlib import Path

from transformers import PreTrainedTokenizerFast

OUT = Path("test/golden/chat/golden.json")
TOKENIZER = Path("test/golden/tokenizer/byte-level")

TEMPLATES = {
    "turns, with a system message of its own": (
        "{% for m in messages %}{% if loop.first and m['role'] != 'system' %}"
        "{{ '<|start|>system\nBe helpful.<|stop|>\n' }}{% endif %}"
        "{{ '<|start|>' + m['role'] + '\n' + m['content'] + '<|stop|>' + '\n' }}{% endfor %}"
        "{% if add_generation_prompt %}{{ '<|start|>assistant\n' }}{% endif %}"
    ),
    "instructions, system folded into the first": (
        "{{- bos_token }}{%- if messages[0]['role'] == 'system' %}{%- set system = messages[0]['content'] %}"
        "{%- set rest = messages[1:] %}{%- else %}{%- set system = '' %}{%- set rest = messages %}{%- endif %}"
        "{%- for m in rest %}{%- if m['role'] == 'user' %}"
        "{{- '[ASK] ' + (system ~ '\n\n' if loop.index0 == 0 and system else '') + m['content'] | trim + ' [/ASK]' }}"
        "{%- elif m['role'] == 'assistant' %}{{- ' ' + m['content'].strip() + eos_token }}"
        "{%- else %}{{- raise_exception('Only user and assistant alternate') }}{%- endif %}{%- endfor %}"
    ),
    "headers, with blocks on lines of their own": """{% set ns = namespace(turn=0) %}
{% macro header(role) %}<|head|>{{ role }}<|/head|>
{% endmacro %}
{{ bos_token }}
{% for message in messages %}
    {% set ns.turn = ns.turn + 1 %}
    {% set text = message.content if message.content is string else message.content | join(' ') %}
    {{- header(message.role) }}
{{ text }}<|stop|>
{% endfor %}
{% if add_generation_prompt is defined and add_generation_prompt %}
{{ header('assistant') }}
{%- endif %}
{# turns are counted, not shown #}
""",
    "tools, when there are any": (
        "{%- if tools is not none and tools | length > 0 %}{{ tools | tojson }}{%- endif %}"
        "{%- for m in messages | selectattr('role', 'equalto', 'user') | list %}{{ loop.index }}/{{ loop.length }}: "
        "{{ m.content | upper | replace('A', 'a') }}{% if not loop.last %} ; {% endif %}{%- endfor %}"
        "{{ {'end': eos_token, 'äöü': 1} | tojson }}"
    ),
    "no system message": (
        "{% if messages[0].role == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}"
        "{{ bos_token }}{% for m in messages %}{{ 'user' if m.role == 'user' else 'model' }}: {{ m.content }}\n{% endfor %}"
    ),
}

USER = {"role": "user", "content": "  What is \"the\" capital of Größe?\nAnd why's that?  "}
CONVERSATIONS = {
    "a question": [USER],
    "with a system message": [{"role": "system", "content": "Answer in one word."}, USER],
    "a second turn": [USER, {"role": "assistant", "content": " It has none. "}, {"role": "user", "content": "Sure?"}],
}


def main():
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_file=str(TOKENIZER / "tokenizer.json"), **json.loads((TOKENIZER / "tokenizer_config.json").read_text())
    )
    cases = []
    for name, template in TEMPLATES.items():
        for conversation, messages in CONVERSATIONS.items():
            case = {"template": name, "conversation": conversation}
            try:
                chat = dict(conversation=messages, chat_template=template, add_generation_prompt=True)
                case["text"] = tokenizer.apply_chat_template(**chat, tokenize=False)
                case["ids"] = list(tokenizer.apply_chat_template(**chat, tokenize=True)["input_ids"])
            except Exception as error:  # what a template raises is of jinja2's own kind
                case["refusal"] = str(error)
            cases.append(case)
    OUT.parent.mkdir(parents=True, exist_ok=True)
    golden = {"templates": TEMPLATES, "conversations": CONVERSATIONS, "cases": cases}
    OUT.write_text(json.dumps(golden, indent=1, ensure_ascii=False) + "\n")


main()
