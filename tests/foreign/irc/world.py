"""A server with one room, and its people who use no IRC client: bob with netcat, and carol at the door for browsers."""

import json
import os
import random
import re
import signal
import socket
import subprocess
import threading
import time

from websockets.sync.client import connect

# The limit of time for each step, and how often to look.
STEP_SECONDS = 180
LOOK_SECONDS = 0.02

BOB, CAROL, PASSWORD = "bob", "carol", "correct-horse"

# The client's two names. The first is registered, with that password.
NICK, OTHER = "visitor", "guest"


def until(what, look):
    """Looks until there is something. Returns it."""
    deadline = time.monotonic() + STEP_SECONDS
    while not (seen := look()):
        assert time.monotonic() < deadline, f"{what} was to come"
        time.sleep(LOOK_SECONDS)
    return seen


# Below the ports that the system gives to connections, so that none of them takes one meanwhile.
PORTS = iter(random.sample(range(20_000, 32_000), 1_000))


def free_port():
    """A port for a client that has to be told one. No two get the same."""
    for port in PORTS:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                return port
    raise AssertionError("no port is free")


class Heard:
    """Texts that grow: the output of a process, or files in a folder."""

    def __init__(self, read):
        self.read, self.seen = read, {}

    def hears(self, words):
        """Waits for these words, behind those that were heard before in the same text."""

        def look():
            for name, text in self.read().items():
                at = text.find(words, self.seen.get(name, 0))
                if at >= 0:
                    self.seen[name] = at + len(words)
                    return True
            return False

        try:
            until(words, look)
        except AssertionError as failed:
            texts = "".join(f"--- {name}\n{text[-4000:]}\n" for name, text in self.read().items())
            raise AssertionError(f"{failed}; heard:\n{texts}") from None


class Person:
    """A person with netcat, who keeps the room."""

    def __init__(self, port):
        self.stream = socket.create_connection(("127.0.0.1", port), STEP_SECONDS)
        self.lines = self.stream.makefile(encoding="utf-8")

    def registers(self, name):
        for line in (name, "/register", PASSWORD, PASSWORD):
            self.says(line)
        self.sees(f"{name} is registered: ")

    def says(self, line):
        self.stream.sendall(f"{line}\n".encode())

    def sees(self, words):
        """Reads up to a line with these words. Returns it."""
        for line in self.lines:
            if words in line:
                return line
        raise AssertionError(f"{words} was to come")

    def has_arrived(self, name):
        self.sees(f"{name} has arrived")

    def has_left(self, name):
        self.sees(f"{name} has left")

    def hears(self, name, words):
        self.sees(f"{name}: {words}")

    def hears_action(self, name, words):
        self.sees(f"* {name} {words}")

    def sees_renamed(self, old, new):
        self.sees(f"{old} is now known as {new}")

    def tells(self, name, words):
        self.says(f"/msg {name} {words}")

    def removes(self, name):
        self.says(f"/kick {name} too loud")

    def end(self):
        self.lines.close()
        self.stream.close()


class Browser:
    """A person at the door for browsers."""

    def __init__(self, port):
        self.socket = connect(f"ws://127.0.0.1:{port}/-/socket", proxy=None)
        self.sends(do="enter", name=CAROL, room="tea", replay=0)
        self.sees(kind="entered", room="tea")

    def sends(self, **request):
        self.socket.send(json.dumps(request))

    def sees(self, **wanted):
        """Reads up to a message with these fields."""
        while not wanted.items() <= json.loads(self.socket.recv(STEP_SECONDS)).items():
            pass

    def says(self, words):
        self.sends(do="say", room="tea", text=words)

    def hears(self, name, words):
        self.sees(kind="line", name=name, text=words)

    def end(self):
        self.socket.close()


class World:
    """A server, and bob and carol in its room."""

    def __init__(self, program, data, scheme="irc"):
        schemes = [scheme, "http", "tcp"]
        urls = [f"{scheme}://127.0.0.1:0?server=irc.example", "http://127.0.0.1:0", "tcp://127.0.0.1:0"]
        listen = [word for url in urls for word in ("--listen", url)]
        environment = {k: v for k, v in os.environ.items() if not k.startswith("PARLOR_")}
        self.server = subprocess.Popen(
            [program, "serve", "--data", data, "--log", "info", *listen],
            stderr=subprocess.PIPE,
            env=environment,
            text=True,
        )
        ports = {}
        while len(ports) < len(schemes):
            line = self.server.stderr.readline()
            assert line, "the server does not listen"
            if found := re.search(r"listening (\w+) 127\.0\.0\.1:(\d+)", line):
                ports[found[1]] = int(found[2])
        threading.Thread(target=self.server.stderr.read, daemon=True).start()
        self.port, web, lines = (ports[scheme] for scheme in schemes)
        owner = Person(lines)
        owner.registers(NICK)
        owner.end()
        self.bob = Person(lines)
        self.bob.registers(BOB)
        self.bob.says("/join tea")
        self.bob.sees("In tea: ")
        self.bob.says("said before")
        self.bob.sees("said before")
        self.carol = Browser(web)

    def end(self):
        self.server.send_signal(signal.SIGTERM)
        code = self.server.wait(STEP_SECONDS)
        self.bob.end()
        self.carol.end()
        assert code == 0, f"the server ended with {code}"
