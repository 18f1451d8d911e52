"""A call over real sockets: the server, the stand-ins, and a listener on every line between them."""

import asyncio
import os
import re
import socket
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
from aiohttp import WSMsgType, web
from yarl import URL

ACCOUNT = "AC" + "0" * 31 + "1"
AUTH_TOKEN = "0123456789abcdef0123456789abcdef"
# What a server can run: a company that offers more is not served, so it is left out.
PERFORMED = ["lookup_loan", "transfer_call", "play_dtmf", "hangup_call"]
START_SECONDS = 30
CALL_SECONDS = 240


@dataclass
class Request:
    """One HTTP request that passed, and its answer."""

    method: str
    target: str
    headers: dict
    body: str
    status: int = 0
    answer: str = ""


@dataclass
class Heard:
    """What was said on the lines of a call."""

    webhooks: list = field(default_factory=list)
    upgrades: list = field(default_factory=list)
    rest: list = field(default_factory=list)
    to_agent: list = field(default_factory=list)
    from_agent: list = field(default_factory=list)


class Line:
    """A proxy that changes nothing and notes down all but audio."""

    KEPT_BACK = {
        "host", "connection", "upgrade", "content-length", "accept-encoding", "transfer-encoding",
        "sec-websocket-key", "sec-websocket-version", "sec-websocket-extensions",
    }

    def __init__(self, upstream, requests=None, upgrades=None, to=None, back=None):
        self.upstream, self.requests, self.upgrades = upstream, requests, upgrades
        self.to, self.back = to, back

    async def open(self, port=0):
        self.session = aiohttp.ClientSession(auto_decompress=False)
        app = web.Application(client_max_size=2**24)
        app.router.add_route("*", "/{any:.*}", self._pass_on)
        self.runner = web.AppRunner(app, access_log=None)
        await self.runner.setup()
        site = web.TCPSite(self.runner, "127.0.0.1", port, shutdown_timeout=1)
        await site.start()
        self.port = self.runner.addresses[0][1]
        return self

    async def close(self):
        await self.session.close()
        await self.runner.cleanup()

    async def _pass_on(self, request):
        url = URL(self.upstream + request.raw_path, encoded=True)
        headers = {n: v for n, v in request.headers.items() if n.lower() not in self.KEPT_BACK}
        if request.headers.get("Upgrade", "").lower() == "websocket":
            return await self._pass_socket(request, url, headers)
        body = await request.read()
        noted = Request(request.method, request.raw_path, dict(request.headers), body.decode())
        async with self.session.request(
            request.method, url, headers=headers, data=body, allow_redirects=False
        ) as answer:
            content = await answer.read()
            noted.status, noted.answer = answer.status, content.decode(errors="replace")
            if self.requests is not None:
                self.requests.append(noted)
            kind = answer.headers.get("Content-Type")
            return web.Response(
                status=answer.status, body=content, headers={"Content-Type": kind} if kind else {}
            )

    async def _pass_socket(self, request, url, headers):
        if self.upgrades is not None:
            self.upgrades.append(Request("GET", request.raw_path, dict(request.headers), ""))
        try:
            far = await self.session.ws_connect(url, headers=headers, max_msg_size=0)
        except aiohttp.WSServerHandshakeError as refused:
            return web.Response(status=refused.status)
        near = web.WebSocketResponse(max_msg_size=0, compress=False)
        await near.prepare(request)

        async def pump(source, sink, noted):
            async for message in source:
                if message.type == WSMsgType.TEXT:
                    if noted is not None:
                        noted.append(message.data)
                    await sink.send_str(message.data)
                elif message.type == WSMsgType.BINARY:
                    await sink.send_bytes(message.data)
            await sink.close()

        # Whoever is told something by a side that is gone has nothing to tell it any more.
        await asyncio.gather(
            pump(near, far, self.to), pump(far, near, self.back), return_exceptions=True
        )
        await far.close()
        return near


def free_port():
    with socket.socket() as any_socket:
        any_socket.bind(("127.0.0.1", 0))
        return any_socket.getsockname()[1]


def company_of(scenario: Path, folder: Path) -> Path:
    """The scenario's company as a server can serve it: in the scenario's language."""
    text = scenario.read_text()
    named = re.search(r'company:\s*"([^"]+)"', text)[1]
    language = re.search(r"\blanguage:\s*(\w+)", text)
    company = (scenario.parent / named).read_text()
    offered = re.search(r"^functions = \[(.*?)\]", company, re.M | re.S)
    names = [name for name in re.findall(r'"(\w+)"', offered[1]) if name in PERFORMED]
    served = "functions = [" + ", ".join(f'"{name}"' for name in names) + "]"
    company = company.replace(offered[0], served)
    if language:
        company = re.sub(r'^language = "\w+"', f'language = "{language[1]}"', company, flags=re.M)
    file = folder / "company.toml"
    file.write_text(company)
    return file


class Stage:
    """A server with everybody around it; `public_url` is what it believes to be reached by."""

    def __init__(self, programs: Path, scenario: Path, public_url=None):
        self.programs, self.scenario, self.public_url = programs, scenario, public_url
        self.heard, self.running, self.lines = Heard(), [], []

    async def __aenter__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="peers-")
        folder = Path(self.folder.name)
        common = ["--scenario", str(self.scenario), "--listen", "127.0.0.1:0"]
        deepgram = await self._standin("deepgram", *common, "--api-key", "dg")
        middleware = await self._standin("middleware", *common, "--api-key", "mw")
        heard = self.heard
        self.rest_port, server_port = free_port(), free_port()
        agent = await self._line(
            f"http://127.0.0.1:{deepgram}", to=heard.to_agent, back=heard.from_agent
        )
        rest = await self._line(f"http://127.0.0.1:{self.rest_port}", requests=heard.rest)
        self.front = await self._line(
            f"http://127.0.0.1:{server_port}", requests=heard.webhooks, upgrades=heard.upgrades
        )
        self.server = f"http://127.0.0.1:{server_port}"
        self.public = self.public_url or f"http://127.0.0.1:{self.front.port}"
        settings = {
            "LISTEN_ADDR": f"127.0.0.1:{server_port}",
            "PUBLIC_URL": self.public,
            "DATABASE_URL": f"sqlite://{folder / 'calls.db'}",
            "SPOOL_DIR": f"{folder / 'spool'}",
            "AUDIT_DIR": f"{folder / 'audit'}",
            "TWILIO_ACCOUNT_SID": ACCOUNT,
            "TWILIO_AUTH_TOKEN": AUTH_TOKEN,
            "TWILIO_API_URL": f"http://127.0.0.1:{rest.port}",
            "DEEPGRAM_API_KEY": "dg",
            "DEEPGRAM_AGENT_URL": f"ws://127.0.0.1:{agent.port}/v1/agent/converse",
            "DEEPGRAM_SPEAK_URL": f"http://127.0.0.1:{deepgram}",
            "MIDDLEWARE_URL": f"http://127.0.0.1:{middleware}",
            "MIDDLEWARE_API_KEY": "mw",
            "COMPANY_FILE": str(company_of(self.scenario, folder)),
        }
        self.log = folder / "server.log"
        with self.log.open("w") as log:
            self.running.append(
                await asyncio.create_subprocess_exec(
                    self.programs / "server", env={**os.environ, **settings}, stdout=log, stderr=log
                )
            )
        await self._until_ready()
        return self

    async def __aexit__(self, *_):
        for process in self.running:
            if process.returncode is None:
                process.kill()
                await process.wait()
        for line in self.lines:
            await line.close()
        self.folder.cleanup()

    async def call(self):
        """Places the scenario's call and waits until it is over."""
        await self._standin(
            "twilio",
            "--scenario", str(self.scenario),
            "--listen", f"127.0.0.1:{self.rest_port}",
            "--webhook", self.public + "/twilio/inbound_call",
            "--status-callback", self.public + "/twilio/call-status",
            "--account-sid", ACCOUNT,
            "--auth-token", AUTH_TOKEN,
        )
        carrier = self.running[-1]
        status = await asyncio.wait_for(carrier.wait(), CALL_SECONDS)
        if status != 0:
            raise RuntimeError(f"{self.scenario.name}: the call could not be placed")

    async def _standin(self, who, *arguments):
        process = await asyncio.create_subprocess_exec(
            self.programs / "standin", who, *arguments, stdout=asyncio.subprocess.PIPE
        )
        self.running.append(process)
        line = await asyncio.wait_for(process.stdout.readline(), START_SECONDS)
        return int(line.decode().strip().rsplit(":", 1)[1])

    async def _line(self, upstream, **noted):
        line = await Line(upstream, **noted).open()
        self.lines.append(line)
        return line

    async def _until_ready(self):
        for _ in range(START_SECONDS * 10):
            try:
                async with aiohttp.ClientSession() as session:
                    async with session.get(self.server + "/ready") as answer:
                        if answer.status == 200:
                            return
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(0.1)
        raise RuntimeError("the server does not start:\n" + self.log.read_text())
