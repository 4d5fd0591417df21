"""The web protocol through a library of other authors: sockets.py SCENE PARLOR IGNORED."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile

import websockets

# The limit of time for each step.
STEP_SECONDS = 180


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """A server on free ports; a restart keeps its ports and lines."""

    def __init__(self, program):
        self.program = program
        self.data = tempfile.TemporaryDirectory()
        self.lines, self.web = free_port(), free_port()
        self.start()

    def start(self):
        listen = ["--listen", f"tcp://127.0.0.1:{self.lines}", "--listen", f"http://127.0.0.1:{self.web}"]
        environment = {k: v for k, v in os.environ.items() if not k.startswith("PARLOR_")}
        self.process = subprocess.Popen(
            [self.program, "serve", "--data", self.data.name, "--rate", "off", "--log", "info", *listen],
            stderr=subprocess.PIPE,
            env=environment,
            text=True,
        )
        while "listening http" not in self.process.stderr.readline():
            assert self.process.poll() is None, "the server does not listen"

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(timeout=20) == 0, "the server ended badly"

    async def connect(self, **options):
        connected = await websockets.connect(f"ws://127.0.0.1:{self.web}/-/socket", **options)
        hello = await hear(connected)
        assert hello["kind"] == "hello" and hello["version"] == 1, hello
        return connected, hello


async def hear(connected):
    return json.loads(await asyncio.wait_for(connected.recv(), STEP_SECONDS))


async def ask(connected, **request):
    """Sends a request. Returns the messages until it is done."""
    await connected.send(json.dumps({**request, "id": "x"}))
    heard = []
    while True:
        message = await hear(connected)
        if message.get("kind") == "done":
            return heard
        heard.append(message)


def numbers(heard):
    return [message["seq"] for message in heard if message["kind"] in ("line", "action")]


async def one_order(server):
    """Fifty sockets and a netcat see the same lines in the same order."""
    people = []
    for number in range(50):
        connected, _ = await server.connect()
        await ask(connected, do="enter", name=f"person-{number}", replay=0)
        people.append(connected)
    reader, writer = await asyncio.open_connection("127.0.0.1", server.lines)
    writer.write(b"netcat\nfrom netcat\n")
    heard = []

    async def hear_netcat():
        line = (await asyncio.wait_for(reader.readline(), STEP_SECONDS)).decode().rstrip("\n")
        if line.startswith(("person-", "netcat: ")) and ": " in line:
            heard.append(line)

    while not heard:
        await hear_netcat()

    async def talk(number):
        for line in range(4):
            text = {"do": "say", "room": "lobby", "text": f"{number} {line}"}
            await people[number].send(json.dumps(text))

    async def read(connected):
        lines = []
        while len(lines) < 50 * 4 + 1:
            message = await hear(connected)
            if message["kind"] == "line":
                lines.append((message["seq"], f"{message['name']}: {message['text']}"))
        return lines

    results = await asyncio.gather(*(read(one) for one in people), *(talk(n) for n in range(50)))
    seen = results[:50]
    assert all(lines == seen[0] for lines in seen), "not everybody saw the same"
    assert [seq for seq, _ in seen[0]] == list(range(1, 202)), "the numbers are not dense"
    while len(heard) < 201:
        await hear_netcat()
    assert heard == [line for _, line in seen[0]], "netcat saw another order"
    writer.close()
    for connected in people:
        await connected.close()


async def goes_on(server):
    """A client that resumes misses no line, after a cut and after a restart."""
    alice, hello = await server.connect()
    await ask(alice, do="enter", name="alice")
    bob, _ = await server.connect()
    await ask(bob, do="enter", name="bob")
    for number in range(10):
        assert len(numbers(await ask(bob, do="say", room="lobby", text=f"line {number}"))) == 1
    seen = 0
    while seen < 5:
        message = await hear(alice)
        seen = message["seq"] if message["kind"] == "line" else seen
    alice.transport.abort()
    back, again = await server.connect()
    assert again["log"] == hello["log"]
    heard = await ask(back, do="enter", name="alice-again", log=hello["log"], after=seen)
    assert heard[0]["resumed"] == "exact" and numbers(heard) == [6, 7, 8, 9, 10], heard
    server.stop()
    server.start()
    back, again = await server.connect()
    assert again["log"] != hello["log"], "each start gives the log another name"
    heard = await ask(back, do="enter", name="alice", log=hello["log"], after=8)
    assert heard[0]["resumed"] == "exact" and numbers(heard) == [9, 10], heard
    await back.close()


async def frames(server):
    """Pings, fragments, large messages, and an offer of compression that is declined."""
    alice, _ = await server.connect(compression="deflate", ping_interval=0.05)
    assert alice.protocol.extensions == [], "no extension was to be agreed upon"
    await ask(alice, do="enter", name="alice")
    await asyncio.wait_for(await alice.ping(b"payload"), STEP_SECONDS)
    text = json.dumps({"do": "say", "room": "lobby", "text": "in fragments \u4f60\u597d", "id": 1})
    await alice.send(text[i : i + 7] for i in range(0, len(text), 7))
    assert (await hear(alice))["text"] == "in fragments \u4f60\u597d"
    await hear(alice)
    largest = "x" * 4096
    heard = await ask(alice, do="say", room="lobby", text="\n".join([largest] * 3))
    assert [message["text"] for message in heard if message["kind"] == "line"] == [largest] * 3
    for message, code in (("x" * 20_000, 1009), (b"bytes", 1003)):
        other, _ = await server.connect()
        await other.send(message)
        try:
            while True:
                await asyncio.wait_for(other.recv(), STEP_SECONDS)
        except websockets.ConnectionClosed as closed:
            assert closed.rcvd.code == code, closed
    await alice.close(4321, "bye")
    assert alice.close_code == 4321, alice.close_code


def main():
    scene, program, _ = sys.argv[1:]
    server = Server(program)
    try:
        asyncio.run(globals()[scene](server))
    finally:
        if server.process.poll() is None:
            server.stop()


if __name__ == "__main__":
    main()
