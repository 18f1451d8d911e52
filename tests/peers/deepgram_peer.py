"""Deepgram's own types against every message of an agent's session, ours and the stand-in's.

The library's models take any field and, in some places, any value. So they are not asked to read a
message but to tell what they have: each field of ours must be one of theirs, each value of its type, and
each word one that is published.
"""

import json
import typing

import pydantic
from deepgram.agent.v1 import socket_client as sdk

# All that a client may send.
SENT = [
    sdk.AgentV1Settings, sdk.AgentV1KeepAlive, sdk.AgentV1InjectAgentMessage,
    sdk.AgentV1InjectUserMessage, sdk.AgentV1SendFunctionCallResponse, sdk.AgentV1UpdatePrompt,
    sdk.AgentV1UpdateSpeak, sdk.AgentV1UpdateListen, sdk.AgentV1UpdateThink,
    sdk.AgentV1ForceEndTurn, sdk.AgentV1InjectDynamicAgentMessage, sdk.AgentV1UpdateThinkLive,
    sdk.AgentV1CustomToThinkProvider,
]
RECEIVED = [kind for kind in typing.get_args(sdk.V1SocketClientResponse) if kind is not bytes]

# A difference, and why it is none of ours. What was seen on live connections ranks above types.
UNPUBLISHED = "the hosted service sends it with Flux, and no schema has it: docs/deepgram.md"
KNOWN = [
    ("from the agent: no type for EndOfTurn", UNPUBLISHED),
    ("fixture from the agent: no type for EndOfTurn", UNPUBLISHED),
]


def by_type(kinds):
    """The models for each word in `type`; History has two."""
    known = {}
    for kind in kinds:
        words = typing.get_args(kind.model_fields["type"].annotation)
        known.setdefault(words[0], []).append(kind)
    return known


SENT, RECEIVED = by_type(SENT), by_type(RECEIVED)


def judge(heard, differences, what):
    """Every message that passed in a call."""
    for direction, known, messages in [
        ("to the agent", SENT, heard.to_agent),
        ("from the agent", RECEIVED, heard.from_agent),
    ]:
        for text in messages:
            message(differences, direction, known, text, what)


def fixtures(folder, differences):
    """The messages that our own tests rest on."""
    for file in sorted(folder.glob("*.json")):
        side = file.name.split(".")[0]
        known, direction = {
            "client": (SENT, "fixture to the agent"),
            "server": (RECEIVED, "fixture from the agent"),
        }[side]
        message(differences, direction, known, file.read_text(), "fixtures")


def message(differences, direction, known, text, what):
    value = json.loads(text)
    kind = value.get("type")
    differences.check(f"messages {direction}: {kind}")
    if kind not in known:
        differences.note(direction, f"no type for {kind}", KNOWN)
        return
    # Of a message with two shapes, the one that fits better.
    found = min((list(fit(value, model, kind)) for model in known[kind]), key=len)
    # A judge that finds nothing proves nothing: with a field too many, it must find one more.
    spoilt = {**value, "nobody knows this": 1}
    worse = min((list(fit(spoilt, model, kind)) for model in known[kind]), key=len)
    if len(worse) != len(found) + 1:
        differences.note("the judge", f"does not see a field too many in {kind}")
    for problem in found:
        differences.note(direction, problem, KNOWN)
    if not found:
        for model in known[kind]:
            try:
                model.model_validate(value)
                return
            except pydantic.ValidationError:
                continue
        differences.note(direction, f"{kind} is not read by the library itself", KNOWN)


def fit(value, kind, path):
    """Where a value is not what an annotation says."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if kind is typing.Any:
        return
    if origin is typing.Annotated:
        yield from fit(value, arguments[0], path)
    elif origin is typing.Literal:
        if value not in arguments:
            yield f"{path} is {value!r}, not one of {list(arguments)}"
    elif origin is typing.Union:
        # A list of words and `Any` beside it: any word passes there, and only those are published.
        closed = [one for one in arguments if one is not typing.Any]
        yield from min((list(fit(value, one, path)) for one in closed), key=len)
    elif origin in (list, typing.List):
        if not isinstance(value, list):
            yield f"{path} is no list"
            return
        for entry in value:
            yield from fit(entry, arguments[0], path + "[]")
    elif origin in (dict, typing.Dict):
        if not isinstance(value, dict):
            yield f"{path} is no object"
            return
        for entry in value.values():
            yield from fit(entry, arguments[1], path + ".*")
    elif isinstance(kind, type) and issubclass(kind, pydantic.BaseModel):
        yield from fields(value, kind, path)
    elif kind is float:
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            yield f"{path} is no number"
    elif kind is int:
        if isinstance(value, bool) or not isinstance(value, int):
            yield f"{path} is no whole number"
    elif isinstance(kind, type):
        if not isinstance(value, kind):
            yield f"{path} is {type(value).__name__}, not {kind.__name__}"
    else:
        yield f"{path} has an annotation that is not understood here: {kind}"


def fields(value, model, path):
    if not isinstance(value, dict):
        yield f"{path} is no object"
        return
    known = {wire_name(name, field): field for name, field in model.model_fields.items()}
    for name, inner in value.items():
        if name not in known:
            yield f"{path} has no field {name}"
        else:
            yield from fit(inner, known[name].annotation, f"{path}.{name}")
    for name, field in known.items():
        if field.is_required() and name not in value:
            yield f"{path} lacks {name}"


def wire_name(name, field):
    aliases = [getattr(note, "alias", None) for note in field.metadata]
    return field.alias or next((alias for alias in aliases if alias), name)
