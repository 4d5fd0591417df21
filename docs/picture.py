#!/usr/bin/env python3
"""Makes docs/parlor.png: the page beside a terminal, in the same room of a real server.

    FOREIGN_PYTHON=target/foreign-venv/bin/python docs/picture.py [PARLOR]

PARLOR is the program, by default target/release/parlor. The script needs Linux, tmux, netcat, Chromium and
the packages in tests/foreign/requirements.txt, which ./test installs. It runs in a separate network, so
that ports 8000 and 8080 are free.
"""

import base64
import html
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PICTURE = ROOT / "docs" / "parlor.png"
INSIDE = "PARLOR_PICTURE_INSIDE"

# Sharp on high-resolution screens, and small enough to load fast.
SCALE = 1.6
TERMINAL_COLUMNS, TERMINAL_ROWS = 58, 30
# The size of the page: large enough for its side columns; the picture is scaled down.
PAGE_WIDTH, PAGE_HEIGHT = 1000, 730
SHRINK = 0.7
TERMINAL_WIDTH = 450
STEP_SECONDS = 30

TYPED = ["nc localhost 8000", "alice", "Morning! Is the release out?", "/me puts the kettle on", "/msg bob lunch at one?"]

FRAME = """<!doctype html><meta charset="utf-8"><style>
* { box-sizing: border-box; margin: 0; }
body { width: WIDTHpx; padding: 14px; background: #e9e5dd; display: flex; gap: 14px; align-items: stretch; }
.window { border-radius: 9px; overflow: hidden; box-shadow: 0 2px 10px #0003; display: flex; flex-direction: column; }
.window > header { font: 500 12px/28px "DejaVu Sans", sans-serif; text-align: center; position: relative; }
.window > header::before { content: ""; position: absolute; left: 11px; top: 9px; width: 10px; height: 10px;
	border-radius: 50%; background: #e0685c; box-shadow: 16px 0 #dfb24c, 32px 0 #6dae62; }
.page > header { background: #d8d2c7; color: #4c473f; }
.page img { display: block; width: PAGE_WIDTHpx; height: PAGE_HEIGHTpx; }
.terminal { flex: 1; background: #22252a; }
.terminal > header { background: #33373e; color: #b9bec7; }
.terminal pre { font: 12.2px/1.5 "DejaVu Sans Mono", monospace; color: #c9ced6; padding: 11px 14px; white-space: pre; }
.typed { color: #ffd479; } .server { color: #8b939f; } .prompt { color: #7fc98d; }
</style>
<div class="window terminal"><header>alice, with netcat</header><pre>TERMINAL</pre></div>
<div class="window page"><header>bob, in a browser</header><img src="data:image/png;base64,PAGE"></div>"""


class Terminal:
    """A shell in tmux, with input as from a person."""

    def __init__(self, folder):
        self.tmux = ["tmux", "-S", f"{folder}/tmux", "-f", "/dev/null"]
        size = ["-x", str(TERMINAL_COLUMNS), "-y", str(TERMINAL_ROWS)]
        self.run("new-session", "-d", *size, "env", "PS1=$ ", "bash", "--norc", "--noprofile")
        self.shows("$")

    def run(self, *words):
        return subprocess.run([*self.tmux, *words], check=True, capture_output=True, text=True).stdout

    def type(self, line):
        self.run("send-keys", "-l", line)
        self.run("send-keys", "Enter")

    def lines(self):
        return self.run("capture-pane", "-p").rstrip().split("\n")

    def shows(self, text):
        until = time.monotonic() + STEP_SECONDS
        while not any(text in line for line in self.lines()):
            assert time.monotonic() < until, f"no {text!r} in {self.lines()}"
            time.sleep(0.05)

    def close(self):
        self.run("kill-server")


def marked(line):
    """A line as HTML, styled by its author: alice, the server, or other people."""
    text = html.escape(line)
    if line.startswith("$ "):
        return f'<span class="prompt">$</span> <span class="typed">{text[2:]}</span>'
    if line in TYPED:
        return f'<span class="typed">{text}</span>'
    if line.startswith(("-- ", "You are ", "What is ", "In ")) or line.endswith((" has arrived", " has left")):
        return f'<span class="server">{text}</span>'
    return text


def scene(browser, server, folder):
    """Lets people talk. Returns a picture of the page, and the lines of the terminal."""
    from browser import Netcat, Reader

    dora = Netcat(8000, "dora")
    dora.say("/join design")
    dora.until("In design: nobody else\n")
    carol = Netcat(8000, "carol")
    carol.say("/topic Release 2.4 goes out today")
    carol.until("goes out today\n")
    carol.say("Good morning! All tickets are closed.")
    carol.until("closed.\n")
    bob = Reader(browser, server, viewport={"width": PAGE_WIDTH, "height": PAGE_HEIGHT}, device_scale_factor=SCALE * SHRINK)
    bob.enter("bob")
    bob.say("/join design")
    bob.page.locator("#title", has_text="design").wait_for()
    bob.page.locator("#room-list").get_by_text("lobby").click()
    bob.page.locator("#title", has_text="lobby").wait_for()
    bob.say("Then I start the build.")
    bob.line("Then I start the build.")

    alice = Terminal(folder)
    alice.type(TYPED[0])
    alice.shows("What is your name?")
    alice.type(TYPED[1])
    alice.shows("Lines here are stored")
    bob.page.get_by_text("alice has arrived").wait_for()
    alice.type(TYPED[2])
    alice.shows(f"alice: {TYPED[2]}")
    bob.say("Any minute, the tests are green so far :)")
    alice.shows("green so far")
    subprocess.run(["curl", "-sf", "-d", "build 2.4.0 is green", "http://localhost:8080/lobby?name=ci"], check=True, stdout=subprocess.DEVNULL)
    alice.shows("ci: build 2.4.0 is green")
    alice.type(TYPED[3])
    alice.shows("* alice puts the kettle on")
    dora.say("The new icons are ready")
    dora.until("icons are ready\n")
    carol.say("alice: tea for me, please")
    alice.shows("tea for me")
    alice.type(TYPED[4])
    alice.shows("[alice -> bob] lunch at one?")
    bob.say("Release is out: https://example.org/2.4")
    alice.shows("Release is out")
    bob.line("Release is out: https://example.org/2.4")
    bob.page.locator("#input").fill("")
    bob.page.wait_for_function("document.fonts.ready")
    page = bob.page.screenshot()
    lines = alice.lines()
    alice.close()
    carol.close()
    dora.close()
    bob.fine()
    return page, lines


def draw(browser, page, lines):
    shown_width, shown_height = round(PAGE_WIDTH * SHRINK), round(PAGE_HEIGHT * SHRINK)
    width = 14 * 3 + TERMINAL_WIDTH + shown_width
    whole = FRAME.replace("PAGE_WIDTH", str(shown_width)).replace("PAGE_HEIGHT", str(shown_height))
    whole = whole.replace("WIDTH", str(width)).replace("TERMINAL", "\n".join(map(marked, lines))).replace("PAGE", base64.b64encode(page).decode())
    frame = browser.new_page(viewport={"width": width, "height": 400}, device_scale_factor=SCALE)
    frame.set_content(whole)
    frame.wait_for_function("document.images[0].complete")
    frame.locator("body").screenshot(path=PICTURE)


def inside(program):
    sys.path.insert(0, str(ROOT / "tests" / "foreign"))
    import browser as foreign

    class Shown(foreign.Server):
        """A server at the ports that the README names."""

        def __init__(self, program):
            self.program = program
            self.data = tempfile.TemporaryDirectory()
            self.ports = [8000, 8080]
            self.start()

        def url(self, room="lobby"):
            return f"http://localhost:8080/{room}"

    foreign.Server = Shown
    with foreign.opened(program) as (browser, server), tempfile.TemporaryDirectory() as folder:
        draw(browser, *scene(browser, server, folder))
    size = PICTURE.stat().st_size
    print(f"{PICTURE.relative_to(ROOT)}: {size // 1000} kB")
    assert size < 250_000, "the README loads slowly with a picture above 250 kB"


def main():
    program = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else ROOT / "target" / "release" / "parlor")
    if INSIDE in os.environ:
        return inside(program)
    python = os.environ.get("FOREIGN_PYTHON", sys.executable)
    inner = f'ip link set lo up && exec "{python}" "{__file__}" "{program}"'
    command = ["unshare", "--user", "--map-root-user", "--net", "sh", "-c", inner]
    return subprocess.run(command, env=os.environ | {INSIDE: "1"}).returncode


if __name__ == "__main__":
    sys.exit(main())
