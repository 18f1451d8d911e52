"""Twilio's own library against the server: it signs, it builds the documents that it would expect, and
it makes the requests that ours are compared with."""

import inspect
import json
import logging
import re
import urllib.parse
import xml.etree.ElementTree as ET

import aiohttp
from twilio.base.exceptions import TwilioRestException
from twilio.http import HttpClient
from twilio.http.response import Response
from twilio.request_validator import RequestValidator
from twilio.rest import Client
from twilio.twiml.voice_response import Connect, VoiceResponse
from yarl import URL

from stage import ACCOUNT, AUTH_TOKEN

PUBLIC = "https://voice.example.test"
CALLED = "+15550100099"
VALIDATOR = RequestValidator(AUTH_TOKEN)

# None so far.
KNOWN = []


class Form(list):
    """Fields in their order, some of them repeated, as the library wants to ask for them."""

    def __init__(self, fields):
        super().__init__(name for name, _ in fields)
        self.fields = list(fields)

    def getlist(self, name):
        return [value for other, value in self.fields if other == name]


def inbound(call, **changed):
    """What Twilio posts when somebody calls."""
    fields = {
        "AccountSid": ACCOUNT,
        "ApiVersion": "2010-04-01",
        "CallSid": call,
        "From": "+15550100001",
        "Caller": "+15550100001",
        "To": CALLED,
        "Called": CALLED,
        "Direction": "inbound",
        "CallStatus": "ringing",
        "CallerName": "DOE JANE & ñandú=1+1 %41",
        "FromCity": "",
        "CallToken": "%7B%22parentCallInfoToken%22%3A%22a.b%22%7D",
        **changed,
    }
    return list(fields.items())


def sid(number):
    return f"CA{number:032x}"


async def webhooks(stage, differences):
    """Requests that the library signs, rightly and wrongly, and what the server answers."""
    at = "/twilio/inbound_call"
    again, after = "/twilio/call-status", "/twilio/after_stream"
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:

        async def post(target, fields, signed=None, signature=None, token=None, bare=False):
            """Signs over the public URL, as Twilio does, and posts to where the server really is."""
            url = signed or PUBLIC + target
            validator = RequestValidator(token) if token else VALIDATOR
            header = signature if signature is not None else validator.compute_signature(
                url, Form(fields)
            )
            headers = {"Content-Type": "application/x-www-form-urlencoded"}
            if not bare:
                headers["X-Twilio-Signature"] = header
            async with session.post(
                URL(stage.server + target, encoded=True),
                data=urllib.parse.urlencode(fields).encode(), headers=headers,
            ) as answer:
                return answer.status, answer.headers.get("Content-Type", ""), await answer.text()

        async def expect(what, status, answer):
            differences.check("webhooks, signed by Twilio's library")
            got, kind, text = await answer
            if got != status:
                differences.note("webhook", f"{what}: status {got}, not {status}")
            if got == 200 and not kind.startswith("text/xml"):
                differences.note("webhook", f"{what}: a document as {kind!r}")
            return text

        async def document(what, answer, wanted):
            text = await expect(what, 200, answer)
            same(differences, what, text, wanted(text) if callable(wanted) else wanted)

        number = iter(range(1, 1000))
        for what, target, form, signed in [
            ("a call", at, inbound(sid(next(number))), None),
            ("a call with a query", at + "?a=%7E%2f&b&c=+", inbound(sid(next(number))), None),
            ("a call signed with the port", at, inbound(sid(next(number))), PUBLIC + ":443" + at),
            ("a field twice, with two values", at,
             inbound(sid(next(number))) + [("New", "b"), ("New", "a")], None),
            ("a field twice, with one value", at,
             inbound(sid(next(number))) + [("New", "a"), ("New", "a")], None),
            ("a caller without a number", at, inbound(sid(next(number)), From="anonymous"), None),
        ]:
            await document(what, post(target, form, signed), connected)

        call = inbound(sid(next(number)))
        for what, refused in [
            ("no signature", post(at, call, bare=True)),
            ("an empty signature", post(at, call, signature="")),
            ("another token", post(at, call, token="guessed")),
            ("the signature of another URL", post(at, call, signed=PUBLIC + again)),
            ("the signature of another host", post(at, call, signed="https://evil.test" + at)),
            ("the signature without the query", post(at + "?a=1", call, signed=PUBLIC + at)),
            ("the signature of another form",
             post(at, call, signature=VALIDATOR.compute_signature(PUBLIC + at, Form(call[1:])))),
            ("a status, unsigned", post(again, call, bare=True)),
            ("the end of a stream, unsigned", post(after, call, bare=True)),
        ]:
            await expect(what, 403, refused)
        await expect("a caller twice", 400, post(at, call + [("From", "+15550100002")]))

        reject = VoiceResponse()
        reject.reject()
        nobody = inbound(sid(next(number)), To="+15550109999")
        await document("a number that is nobody's", post(at, nobody), reject)
        other = inbound(sid(next(number)), AccountSid="AC" + "f" * 32)
        await document("another account", post(at, other), sorry)
        await document("the end of an unknown stream", post(after, call), sorry)
        for status in ["initiated", "ringing", "in-progress", "completed", "completed", "ringing"]:
            news = inbound(sid(1), CallStatus=status, SequenceNumber="0")
            await expect(f"a call is {status}", 204, post(again, news))
        twice = inbound(sid(next(number)))
        first = await expect("a call", 200, post(at, twice))
        again_asked = await expect("the same call", 200, post(at, twice))
        if again_asked != first:
            differences.note("webhook", "a call that asks again is answered otherwise")


def connected(text):
    """The document that connects a call, as Twilio's library builds it; its token is the server's."""
    token = re.search(r'value="([^"]*)"', text)
    response, connect = VoiceResponse(), Connect()
    stream = connect.stream(url="wss://voice.example.test/twilio/acme/en")
    stream.parameter(name="token", value=token[1] if token else "")
    response.append(connect)
    response.redirect(PUBLIC + "/twilio/after_stream", method="POST")
    return response


def sorry(text):
    """An apology in the words of the server, in the library's form."""
    say = ET.fromstring(text).find("Say")
    response = VoiceResponse()
    response.say(say.text if say is not None else "", language="en-US")
    response.hangup()
    return response


def same(differences, what, text, wanted):
    """Whether a document is the library's."""
    read(differences, what, text)
    ours, theirs = shape(ET.fromstring(text)), shape(ET.fromstring(str(wanted)))
    if ours != theirs:
        differences.note("document", f"{what}: {ours}, and the library writes {theirs}")


def shape(element):
    inner = [shape(child) for child in element]
    return element.tag, dict(element.attrib), element.text or "", inner


def read(differences, what, text):
    """Whether the library knows every verb and attribute of a document, and would write it so."""
    differences.check("documents, read and written again with Twilio's library")
    root = ET.fromstring(text)
    response = VoiceResponse()
    if root.tag != "Response":
        differences.note("document", f"{what}: the root is {root.tag}")
    for element in root:
        rebuild(differences, what, element, response)
    if shape(ET.fromstring(str(response))) != shape(root):
        differences.note("document", f"{what}: {shape(root)} becomes {response}")


def rebuild(differences, what, element, parent):
    method = getattr(parent, element.tag.lower(), None)
    if method is None:
        differences.note("document", f"{what}: <{element.tag}> in {type(parent).__name__}")
        return
    known = list(inspect.signature(method).parameters)
    values = {re.sub("([A-Z])", r"_\1", n).lower(): v for n, v in element.attrib.items()}
    for name in values:
        if name not in known or name == "kwargs":
            differences.note("document", f"{what}: {name} of <{element.tag}>")
    # The text of an element is the first argument of its method.
    text = [element.text] if element.text else []
    built = method(*text, **values)
    for child in element:
        rebuild(differences, what, child, built)


class Captured(HttpClient):
    """Sends nothing: keeps the request that the library makes, and gives an answer of ours."""

    def __init__(self, status, answer):
        super().__init__(logging.getLogger(__name__), False)
        self.status, self.answer, self.made = status, answer, None

    def request(self, method, url, params=None, data=None, headers=None, auth=None, **_):
        self.made = (method, urllib.parse.urlsplit(url).path, data or {}, auth)
        return Response(self.status, self.answer)


def judge(stage, differences):
    """What passed in a call between the server and the stand-in for Twilio."""
    for asked in stage.heard.webhooks:
        if not asked.target.startswith("/twilio/"):
            continue
        differences.check("webhooks of the stand-in, believed by Twilio's library")
        fields = urllib.parse.parse_qsl(asked.body, keep_blank_values=True)
        if not VALIDATOR.validate(stage.public + asked.target, Form(fields), signature(asked)):
            differences.note("stand-in", f"the signature of {asked.target} is not believed")
        if asked.status == 200:
            read(differences, f"{stage.scenario.stem} {asked.target}", asked.answer)
    for asked in stage.heard.upgrades:
        differences.check("upgrades of the stand-in, believed by Twilio's library")
        url = stage.public.replace("http", "ws", 1) + asked.target
        if not VALIDATOR.validate(url, {}, signature(asked)):
            differences.note("stand-in", f"the signature of the upgrade is not believed: {url}")
    for asked in stage.heard.rest:
        request(differences, f"{stage.scenario.stem} {asked.method}", asked)


def signature(asked):
    return next(v for n, v in asked.headers.items() if n.lower() == "x-twilio-signature")


def request(differences, what, asked):
    """One request to the REST interface, made once more by the library."""
    differences.check("REST requests, made again by Twilio's library")
    fields = dict(urllib.parse.parse_qsl(asked.body, keep_blank_values=True))
    http = Captured(asked.status, asked.answer)
    client = Client(ACCOUNT, AUTH_TOKEN, http_client=http)
    sid_asked = asked.target.rsplit("/", 1)[1].removesuffix(".json")
    call = client.calls(sid_asked)
    arguments = {"Status": "status", "Twiml": "twiml"}
    for name in fields.keys() - arguments.keys():
        differences.note("REST", f"{what}: a field {name}")
    try:
        if asked.method == "POST":
            answer = call.update(**{arguments[n]: v for n, v in fields.items() if n in arguments})
        else:
            answer = call.fetch()
        shown = (answer.account_sid, answer.sid, answer.status)
        status = json.loads(asked.answer).get("status")
        if shown != (ACCOUNT, sid_asked, status) or not status:
            differences.note("stand-in", f"{what}: the library reads {shown}")
    except TwilioRestException as refused:
        if refused.status != asked.status or not refused.code:
            differences.note("stand-in", f"{what}: {asked.status} is read as {refused!r}")
    wanted = (asked.method, asked.target, fields, (ACCOUNT, AUTH_TOKEN))
    if http.made != wanted:
        differences.note("REST", f"{what}: {wanted}, and the library sends {http.made}")
    basic = aiohttp.BasicAuth(ACCOUNT, AUTH_TOKEN).encode()
    if asked.headers.get("Authorization") != basic:
        differences.note("REST", f"{what}: other credentials than the library's")
    if "Twiml" in fields:
        read(differences, what, fields["Twiml"])
