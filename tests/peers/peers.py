"""The providers' own libraries as judges of the server and of the stand-ins: `cargo xtask peers`."""

import argparse
import asyncio
import sys
from pathlib import Path

import deepgram_peer
import twilio_peer
from differences import Differences
from stage import Stage

# Calls in which every kind of message passes that a call leads to. What lies here is played by nobody
# else.
CALLS = [
    "talk",
    "late_payment",
    "s11_barge_in_at_result",
    "s16_keypad",
    "s17_language_switch",
    "s19_transfer",
    "s19_transfer_busy",
    "s22_agent_lost_speaking",
    "s19_transfer_refused",
    "s37_tones",
    "s37_tones_no_return",
]


async def call(programs, scenario, differences):
    async with Stage(programs, scenario) as stage:
        await stage.call()
        twilio_peer.judge(stage, differences)
        deepgram_peer.judge(stage.heard, differences, scenario.stem)
        print(f"placed  {scenario.name}", flush=True)


async def run(arguments):
    root, programs = arguments.root, arguments.programs
    differences = Differences()
    deepgram_peer.fixtures(root / "transports/fixtures/deepgram", differences)
    late = root / "scenarios/late_payment.ron"
    async with Stage(programs, late, twilio_peer.PUBLIC) as stage:
        await twilio_peer.webhooks(stage, differences)
    at_once = asyncio.Semaphore(arguments.at_once)

    async def one(name):
        async with at_once:
            own = root / f"tests/peers/{name}.ron"
            scenario = own if own.exists() else root / f"scenarios/{name}.ron"
            await call(programs, scenario, differences)

    await asyncio.gather(*(one(name) for name in arguments.calls or CALLS))
    known = [] if arguments.calls else twilio_peer.KNOWN + deepgram_peer.KNOWN
    return differences.report(known)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("--programs", type=Path, required=True, help="where server and standin are")
    parser.add_argument("--at-once", type=int, default=5, help="so many calls at the same time")
    parser.add_argument("calls", nargs="*", help="only these scenarios")
    sys.exit(0 if asyncio.run(run(parser.parse_args())) else 1)


if __name__ == "__main__":
    main()
