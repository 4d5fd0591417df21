"""A real browser in the rooms. Each scene is a function, run by name: browser.py SCENE PARLOR PICTURES.

PARLOR is the program; PICTURES is a folder for screenshots. A scene that fails says why and exits with
another code than 0.
"""

import http.server
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from contextlib import contextmanager

from playwright.sync_api import expect, sync_playwright

# The limit of time for each step; even a busy machine needs less.
STEP_MS = 180_000
expect.set_options(timeout=STEP_MS)

HOSTILE_LINES = 200

# A name is letters, digits and three signs. These names mean something to scripts, or are written from the
# right.
HOSTILE_NAMES = [
    "o-script",
    "x.onerror",
    "constructor",
    "prototype",
    "toString",
    "valueOf",
    "hasOwnProperty",
    "innerHTML",
    "javascript",
    "undefined",
    "NaN",
    "data-x.svg",
    "a.b-c_d",
    "שלום",
    "مرحبا",
    "王小明",
    "ÅÄÖ",
    "x" * 32,
]


class Server:
    """A server on free ports; a restart keeps its ports and lines."""

    def __init__(self, program, scheme="http"):
        self.program, self.scheme = program, scheme
        self.data = tempfile.TemporaryDirectory()
        self.ports = [free_port(), free_port()]
        self.start()

    def start(self):
        lines, web = self.ports
        listen = ["--listen", f"tcp://127.0.0.1:{lines}", "--listen", f"{self.scheme}://127.0.0.1:{web}"]
        options = ["--data", self.data.name, "--rate", "off", *listen]
        environment = {k: v for k, v in os.environ.items() if not k.startswith("PARLOR_")}
        self.process = subprocess.Popen(
            [self.program, "serve", *options], stderr=subprocess.PIPE, env=environment, text=True
        )
        for line in self.process.stderr:
            if f"listening {self.scheme} " in line:
                break
        else:
            raise AssertionError("the server does not listen")
        threading.Thread(target=self.process.stderr.read, daemon=True).start()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(timeout=20) == 0, "the server ended badly"

    def url(self, room="lobby"):
        return f"{self.scheme}://127.0.0.1:{self.ports[1]}/{room}"

    def netcat(self, name):
        return Netcat(self.ports[0], name)


class Netcat:
    """A person who joined with netcat."""

    def __init__(self, port, name):
        self.stream = socket.create_connection(("127.0.0.1", port), timeout=STEP_MS / 1000)
        self.lines = self.stream.makefile("r", encoding="utf-8", newline="\n")
        self.say(name)
        self.until(f"You are {name}\n")

    def say(self, line):
        self.stream.sendall(f"{line}\n".encode())

    def close(self):
        self.lines.close()
        self.stream.close()

    def until(self, wanted):
        self.lines_until(wanted)

    def lines_until(self, wanted):
        lines = []
        for line in self.lines:
            lines.append(line)
            if line.endswith(wanted):
                return lines
        raise AssertionError(f"no {wanted!r}")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Reader:
    """A person with a browser; any error in the page is a failure."""

    def __init__(self, browser, server, **context):
        self.context = browser.new_context(**context)
        self.page = self.context.new_page()
        self.page.set_default_timeout(STEP_MS)
        self.troubles = []
        self.page.on("pageerror", lambda error: self.troubles.append(str(error)))
        self.page.on("console", self.note)
        self.page.on("dialog", lambda dialog: self.troubles.append(f"dialog {dialog.message}"))
        self.server = server

    def note(self, message):
        # The page itself reports a server that is down.
        if message.type in ("error", "warning") and "WebSocket connection" not in message.text:
            self.troubles.append(message.text)

    def enter(self, name, room="lobby"):
        self.page.goto(self.server.url(room))
        self.page.locator("#name").fill(name)
        self.page.keyboard.press("Enter")
        self.page.locator("#chat").wait_for(state="visible")
        return self

    def say(self, text):
        self.page.locator("#input").fill(text)
        self.page.keyboard.press("Enter")

    def line(self, text):
        """Waits for a line of exactly this text."""
        shown = self.page.locator("#lines .said .text", has_text=re.compile(rf"^{re.escape(text)}$"))
        shown.last.wait_for(state="attached")
        return shown

    def texts(self):
        return self.page.locator("#lines .said .text").all_inner_texts()

    def fine(self):
        assert self.troubles == [], self.troubles


@contextmanager
def opened(program):
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=os.environ.get("CHROMIUM", "/usr/bin/chromium"),
            args=[
                "--no-sandbox",
                "--disable-gpu",
                "--disable-quic",
                "--no-first-run",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
            ],
        )
        server = Server(program)
        try:
            yield browser, server
        finally:
            browser.close()
            if server.process.poll() is None:
                server.stop()


def one_room(browser, server, pictures):
    """Two browsers and a netcat read the same lines in the same order."""
    alice = Reader(browser, server).enter("alice")
    bob = Reader(browser, server, color_scheme="dark").enter("bob")
    carol = server.netcat("carol")
    alice.say("hello from a browser")
    carol.until("alice: hello from a browser\n")
    bob.line("hello from a browser")
    carol.say("hello from netcat")
    for reader in (alice, bob):
        reader.line("hello from netcat")
    bob.say("/me waves")
    carol.until("* bob waves\n")
    for number in range(20):
        (alice, bob)[number % 2].say(f"line {number}")
        carol.until(f": line {number}\n")
    for reader in (alice, bob):
        reader.line("line 19")
    assert alice.texts() == bob.texts(), (alice.texts(), bob.texts())
    alice.say("/join tea")
    alice.page.wait_for_url("**/tea")
    bob.say("while alice is elsewhere")
    alice.page.locator("#room-list").get_by_text("lobby").locator("xpath=ancestor-or-self::li").locator(
        "text=1"
    ).wait_for()
    alice.page.screenshot(path=f"{pictures}/unread.png")
    alice.page.go_back()
    alice.line("while alice is elsewhere")
    bob.page.screenshot(path=f"{pictures}/dark.png")
    alice.fine()
    bob.fine()


def over_tls(browser, server, pictures):
    """Two people with a page and a socket over TLS, and one with netcat."""
    secure = Server(server.program, "https")
    try:
        alice, bob = (Reader(browser, secure, ignore_https_errors=True).enter(name) for name in ("alice", "bob"))
        carol = secure.netcat("carol")
        alice.say("hello over TLS")
        bob.line("hello over TLS")
        carol.until("alice: hello over TLS\n")
        carol.say("hello from netcat")
        alice.line("hello from netcat")
        carol.close()
        socket_url = alice.page.evaluate("new URL('/-/socket', location.href.replace('http', 'ws')).protocol")
        assert socket_url == "wss:", socket_url
    finally:
        secure.stop()


def comes_back(browser, server, pictures):
    """A restart of the server loses no line and doubles none."""
    alice = Reader(browser, server).enter("alice")
    bob = Reader(browser, server).enter("bob")
    for number in range(5):
        alice.say(f"before {number}")
        bob.line(f"before {number}")
    server.stop()
    alice.page.locator("#state").wait_for(state="visible")
    alice.page.screenshot(path=f"{pictures}/connection-lost.png")
    server.start()
    carol = server.netcat("carol")
    for number in range(5):
        carol.say(f"meanwhile {number}")
        carol.until(f"carol: meanwhile {number}\n")
    for reader in (alice, bob):
        reader.page.locator("#state").wait_for(state="hidden")
        reader.line("meanwhile 4")
        reader.page.locator("#lines .note", has_text="Connected again.").wait_for(state="attached")
    bob.say("after")
    alice.line("after")
    expected = [f"before {n}" for n in range(5)] + [f"meanwhile {n}" for n in range(5)] + ["after"]
    for reader in (alice, bob):
        assert reader.texts() == expected, reader.texts()
    alice.context.set_offline(True)
    alice.page.locator("#state").wait_for(state="visible")
    alice.context.set_offline(False)
    alice.page.locator("#state").wait_for(state="hidden")
    for reader in (alice, bob):
        reader.fine()


def lists_people(browser, server, pictures):
    """The list of people is right at every moment: in crowds, beside a quiet reader, and after a restart."""
    alice = Reader(browser, server).enter("alice")

    def lists(names):
        rows = alice.page.locator("#people-list li")
        expect(rows).to_have_text(sorted(["alice", *names]))
        expect(alice.page.locator("#here")).to_have_text(str(len(names) + 1))

    early = [server.netcat(f"early{number}") for number in range(7)]
    crowd = [server.netcat(f"crowd{number:02}") for number in range(13)]
    names = [f"early{number}" for number in range(7)] + [f"crowd{number:02}" for number in range(13)]
    lists(names)
    alice.page.screenshot(path=f"{pictures}/people.png")
    for guest in crowd:
        guest.close()
    lists(names[:7])
    alice.say("/quiet")
    alice.page.locator("#lines .typed + .note").wait_for()
    early[0].say("/name other")
    early[1].say("/quit")
    lists(["other", *names[2:7]])
    many = [server.netcat(f"many{number:03}") for number in range(230)]
    bob = Reader(browser, server).enter("bob")
    everybody = ["alice", "bob", "other", *names[2:7], *(f"many{number:03}" for number in range(230))]
    expect(bob.page.locator("#people-list li")).to_have_text(sorted(everybody))
    server.stop()
    server.start()
    lists(["bob"])
    again = [server.netcat(f"again{number:02}") for number in range(20)]
    lists(["bob", *(f"again{number:02}" for number in range(20))])
    for guest in [*early, *many, *again]:
        guest.close()
    lists(["bob"])
    bob.fine()
    alice.fine()


def composes(browser, server, pictures):
    """An Enter that ends a composition sends nothing; the next one does."""
    alice = Reader(browser, server, locale="zh-CN").enter("爱丽丝")
    bob = server.netcat("bob")
    field = alice.page.locator("#input")
    field.focus()
    devtools = alice.context.new_cdp_session(alice.page)
    devtools.send("Input.imeSetComposition", {"text": "nihao", "selectionStart": 5, "selectionEnd": 5})
    enter = {"key": "Process", "code": "Enter", "windowsVirtualKeyCode": 229}
    devtools.send("Input.dispatchKeyEvent", {"type": "rawKeyDown", **enter})
    devtools.send("Input.insertText", {"text": "你好"})
    devtools.send("Input.dispatchKeyEvent", {"type": "keyUp", **enter})
    assert field.input_value() == "你好", field.input_value()
    assert alice.texts() == [], "an Enter of the input method was taken for one"
    alice.page.keyboard.press("Enter")
    bob.until("爱丽丝: 你好\n")
    alice.line("你好")
    alice.page.screenshot(path=f"{pictures}/chinese.png")
    alice.fine()


def hostile_texts():
    """Texts that must stay text wherever they are shown."""
    seeds = [
        "<img src=x onerror=alert({n})>",
        "<script>alert({n})</script>",
        "</span></div><script src=//127.0.0.1/x.js></script>",
        "<svg/onload=alert({n})>",
        "\"><iframe srcdoc='<script>alert({n})</script>'>",
        "javascript:alert({n})",
        "JaVaScRiPt://%0aalert({n})",
        "data:text/html,<script>alert({n})</script>",
        "http://127.0.0.1/\"onmouseover=alert({n}) x=\"",
        "https://127.0.0.1/<script>alert({n})</script>",
        "{{{{constructor.constructor('alert({n})')()}}}}",
        "${{alert({n})}} `${{alert({n})}}`",
        "<style>*{{display:none}}</style>",
        "<base href=//127.0.0.1/><meta http-equiv=refresh content=0>",
        "<a href=javascript:alert({n})>x</a>",
        "&lt;img src=x onerror=alert({n})&gt; &#x3c;script&#x3e;",
        "<math><mtext></table><mglyph><style><!--</style><img src=x onerror=alert({n})>",
        "<form action=//127.0.0.1/><button formaction=javascript:alert({n})>",
        "\u202eevil\u202c \u2066x\u2069 \u200f<b>{n}</b>",
        "<object data=javascript:alert({n})><embed src=javascript:alert({n})>",
    ]
    return [seeds[n % len(seeds)].format(n=n) + f" {n}" for n in range(HOSTILE_LINES)]


def hostile(browser, server, pictures):
    """Hostile lines and names run no script, add no element and break no policy."""
    alice = Reader(browser, server).enter("alice")
    elements = "document.querySelectorAll('#lines :is(script,img,iframe,svg,style,form,object,embed,base,meta,button:not(.answer))').length"
    mallory = server.netcat("mallory")
    for text in hostile_texts():
        mallory.say(text)
    mallory.say("/topic <img src=x onerror=alert(1)>")
    mallory.say("/msg alice <img src=x onerror=alert(2)>")
    for name in HOSTILE_NAMES:
        mallory.say(f"/name {name}")
        mallory.say(f"I am {name}")
    mallory.say("/quit <script>alert(3)</script>")
    for name in HOSTILE_NAMES:
        alice.line(f"I am {name}")
        assert alice.page.locator("#lines .told", has_text=f"is now known as {name}").count() > 0, name
    shown = [text for text in alice.texts() if re.search(r"\d$", text)]
    assert len(shown) >= HOSTILE_LINES, len(shown)
    assert alice.page.evaluate(elements) == 0, "an element appeared"
    links = alice.page.eval_on_selector_all("#lines a", "links => links.map(a => [a.protocol, a.rel, a.target])")
    for protocol, rel, target in links:
        assert protocol in ("http:", "https:") and "noopener" in rel and target == "_blank", (protocol, rel)
    alice.page.screenshot(path=f"{pictures}/hostile.png")
    alice.say("/join constructor")
    alice.page.wait_for_url("**/constructor")
    alice.say("said in a room with an odd name")
    alice.line("said in a room with an odd name")
    assert alice.page.locator("#lines .gap").count() == 0
    alice.fine()


def foreign_page(browser, server, pictures):
    """A page of another site, or of none, can neither read nor speak nor enter."""
    del pictures
    with tempfile.TemporaryDirectory() as folder:
        with open(f"{folder}/index.html", "w", encoding="utf-8") as page:
            page.write("<!doctype html><title>elsewhere</title>")
        handler = lambda *args: http.server.SimpleHTTPRequestHandler(*args, directory=folder)
        http.server.SimpleHTTPRequestHandler.log_message = lambda *args: None
        elsewhere = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=elsewhere.serve_forever, daemon=True).start()
        try:
            bob = server.netcat("bob")
            bob.say("a secret")
            bob.until("bob: a secret\n")
            page = browser.new_page()
            page.goto(f"http://127.0.0.1:{elsewhere.server_port}/")
            tries = """async (port) => {
                const url = `http://127.0.0.1:${port}/lobby`;
                const fetched = async (path, options) => {
                    try { return await (await fetch(url + path, options)).text(); } catch (e) { return 'refused'; }
                };
                const socket = await new Promise((done) => {
                    const ws = new WebSocket(`ws://127.0.0.1:${port}/-/socket`);
                    ws.onopen = () => done('open');
                    ws.onerror = () => done('refused');
                });
                const framed = await new Promise((done) => {
                    const frame = document.createElement('iframe');
                    frame.onload = () => { try { done(frame.contentDocument ? 'readable' : 'refused'); } catch { done('refused'); } };
                    frame.src = url;
                    document.body.append(frame);
                });
                return {
                    read: await fetched('?last=5'),
                    opaque: await fetched('?last=5', { mode: 'no-cors' }),
                    said: await fetched('?name=evil', { method: 'POST', body: 'said by another site', mode: 'no-cors' }),
                    socket, framed,
                };
            }"""
            results = page.evaluate(tries, server.ports[1])
            assert results["socket"] == "refused" and results["read"] == "refused", results
            assert "secret" not in results["opaque"] and results["framed"] == "refused", results
            bob.say("/last 5")
            bob.say("the end")
            heard = []
            for line in bob.lines:
                heard.append(line)
                if line.endswith("bob: the end\n"):
                    break
            assert not any("another site" in line for line in heard), heard
        finally:
            elsewhere.shutdown()


def narrow(browser, server, pictures):
    """A phone shows the page without sideways scrolling, in both languages, and asks about a paste."""
    for locale, word in (("en-GB", "Send"), ("zh-CN", "发送")):
        reader = Reader(
            browser, server, locale=locale, viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True
        )
        reader.page.goto(server.url())
        reader.page.screenshot(path=f"{pictures}/door-{locale}.png")
        reader.enter(f"guest-{locale[:2]}")
        assert reader.page.get_by_text(word, exact=True).is_visible(), word
        placeholder = "Message lobby" if word == "Send" else "在 lobby 发消息"
        expect(reader.page.locator("#input")).to_have_attribute("placeholder", placeholder)
        reader.say("a long line: " + "words " * 60 + "x" * 200)
        reader.say("/topic " + "what this room is about " * 4)
        reader.page.locator("#lines .item").nth(1).wait_for()
        width = reader.page.evaluate("document.documentElement.scrollWidth")
        assert width <= 390, f"{width} pixels wide"
        pasted = [f"{number} of {locale}" for number in ("one", "two", "three")]
        field = reader.page.locator("#input")
        field.focus()
        reader.page.evaluate(
            """(text) => {
                const data = new DataTransfer();
                data.setData('text/plain', text);
                document.activeElement.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true }));
            }""",
            "\n".join(pasted),
        )
        reader.page.locator("#question").wait_for(state="visible")
        reader.page.screenshot(path=f"{pictures}/phone-{locale}.png")
        reader.page.locator("#together").click()
        reader.line(pasted[-1])
        assert reader.texts()[-3:] == pasted, reader.texts()
        field.press_sequentially("/")
        reader.page.locator("#menu").wait_for(state="visible")
        reader.page.screenshot(path=f"{pictures}/menu-{locale}.png")
        field.fill("")
        reader.page.locator("header .narrow").first.click()
        small = """() => [...document.querySelectorAll('button, #input')].filter((it) => it.checkVisibility())
            .map((it) => [it.id || it.textContent, it.getBoundingClientRect()])
            .filter(([, { width, height }]) => Math.min(width, height) < 44).map(([name]) => name)"""
        assert reader.page.evaluate(small) == [], "too small for a finger"
        reader.page.locator("#room-list .leave").click()
        reader.page.locator("#choose").wait_for(state="visible")
        reader.page.screenshot(path=f"{pictures}/no-room-{locale}.png")
        assert reader.page.evaluate(small) == [], "too small for a finger"
        reader.fine()


def finds(browser, server, pictures):
    """Rooms and lines are chosen from lists, and a search result is shown among the lines around it."""
    bob = server.netcat("bob")
    for number in range(400):
        bob.say("the needle" if number == 150 else f"hay {number}")
    bob.until("bob: hay 399\n")
    carol = server.netcat("carol")
    carol.say("/join tea")
    carol.until("In tea: nobody else\n")
    alice = Reader(browser, server).enter("alice")
    alice.page.locator("#browse").click()
    alice.page.locator("#found button", has_text="tea").wait_for()
    alice.page.locator("#wanted").press_sequentially("te")
    alice.page.locator("#found button", has_text="lobby").wait_for(state="detached")
    alice.page.screenshot(path=f"{pictures}/rooms.png")
    alice.page.locator("#found button").click()
    alice.page.wait_for_url("**/tea")
    alice.page.locator("#search").click()
    alice.page.locator("#wanted").fill("needle")
    alice.page.keyboard.press("Enter")
    alice.page.locator("#found button", has_text="the needle").click()
    alice.page.wait_for_url("**/lobby")
    needle = alice.page.locator("#lines .said .text", has_text="the needle")
    needle.wait_for(state="visible")
    inside = """(node) => {
        const [line, frame] = [node, document.getElementById('scroller')].map((it) => it.getBoundingClientRect());
        return line.top >= frame.top && line.bottom <= frame.bottom;
    }"""
    assert needle.evaluate(inside), "the line that was found is out of sight"
    around = alice.texts()
    place = around.index("the needle")
    assert around[place - 1 : place + 2] == ["hay 149", "the needle", "hay 151"], around[place - 3 : place + 3]
    alice.page.screenshot(path=f"{pictures}/found.png")
    alice.page.locator("#search").click()
    alice.page.locator("#wanted").fill("hay")
    alice.page.keyboard.press("Enter")
    rows = alice.page.locator("#found .open")
    expect(rows).to_have_count(20)
    alice.page.locator("#found .more").click()
    expect(rows).to_have_count(40)
    assert len(set(rows.all_inner_texts())) == 40, "the same again"
    assert rows.first.locator("mark").inner_text() == "hay"
    alice.page.screenshot(path=f"{pictures}/search.png")
    alice.page.keyboard.press("Escape")
    bob.say("news")
    alice.page.locator("#newest").click()
    alice.line("news")
    expect(alice.page).not_to_have_title(re.compile(r"^\("))
    alice.page.locator("#input").fill("a draft")
    alice.page.locator("#topic").click()
    alice.page.locator("#me").click()
    assert alice.page.locator("#input").input_value() == "/name "
    alice.page.keyboard.press("Escape")
    assert alice.page.locator("#input").input_value() == "a draft"
    alice.page.locator("#input").fill("/join t")
    alice.page.keyboard.press("Tab")
    assert alice.page.locator("#input").input_value().strip() == "/join tea"
    alice.fine()


def talks(browser, server, pictures):
    """Private messages are separate conversations, which survive a reload."""
    alice = Reader(browser, server).enter("alice")
    bob = server.netcat("bob")
    carol = server.netcat("carol")
    bob.say("/msg alice a secret <b>plan</b>")
    bob.say("/msg alice and one more")
    carol.say("/msg alice over here")
    entry = alice.page.locator("#talk-list li", has_text="bob")
    entry.locator(".count", has_text="2").wait_for()
    assert alice.page.locator("#talk-list li").count() == 2
    assert alice.texts() == [], "a private message stands in the room"
    entry.locator(".open").click()
    alice.line("a secret <b>plan</b>")
    assert alice.texts() == ["a secret <b>plan</b>", "and one more"]
    expect(entry.locator(".count")).to_have_count(0)
    alice.say("what plan?")
    bob.until("[alice -> bob] what plan?\n")
    alice.line("what plan?")
    alice.page.locator("#input").fill("half an answer")
    alice.page.reload()
    alice.line("what plan?")
    assert alice.texts() == ["a secret <b>plan</b>", "and one more", "what plan?"]
    expect(alice.page.locator("#input")).to_have_value("half an answer")
    alice.page.locator("#talk-list li", has_text="carol").locator(".count", has_text="1").wait_for()
    alice.page.screenshot(path=f"{pictures}/private.png")
    bob.say("/name rob")
    bob.say("/msg alice it is me")
    alice.line("it is me")
    assert alice.page.locator("#title").inner_text() == "rob"
    bob.say("/quit")
    alice.page.locator("#people-list li", has_text="rob").wait_for()  # of the conversation
    alice.page.locator("#room-list .open", has_text="lobby").click()
    expect(alice.page.locator("#people-list li")).to_have_text(["alice", "carol"])
    alice.page.go_back()
    expect(alice.page.locator("#title")).to_have_text("rob")
    alice.say("are you gone?")
    expect(alice.page.locator("#input")).to_have_value("are you gone?")
    assert alice.page.locator("#hint").inner_text() != ""
    alice.page.locator("#input").fill("")
    alice.say("/msg carol I see you")
    carol.until("[alice -> carol] I see you\n")
    alice.line("I see you")
    assert alice.page.locator("#title").inner_text() == "carol"
    item = alice.page.locator("#talk-list li", has_text="carol")
    item.hover()
    item.locator(".leave").click()
    expect(alice.page.locator("#title")).to_have_text("lobby")
    alice.page.reload()
    alice.page.locator("#talk-list li", has_text="rob").wait_for()
    assert alice.page.locator("#talk-list li").count() == 1
    alice.fine()


def reloads(browser, server, pictures):
    """A reload is not announced, and the draft stays in the field."""
    del pictures
    bob = server.netcat("bob")
    alice = Reader(browser, server).enter("alice")
    bob.until("alice has arrived\n")
    alice.say("/join tea")
    alice.page.wait_for_url("**/tea")
    alice.page.locator("#input").fill("half a thought")
    for _ in range(3):
        alice.page.reload()
        expect(alice.page.locator("#input")).to_have_value("half a thought")
        alice.page.locator("#room-list li", has_text="lobby").wait_for()
    bob.say("nobody left?")
    lines = bob.lines_until("bob: nobody left?\n")
    assert not any("alice" in line for line in lines), lines
    expect(alice.page.locator("#title")).to_have_text("tea")
    # Another tab learns of the first at once; a closed tab holds the name only for a moment.
    other = alice.context.new_page()
    other.goto(server.url())
    assert other.locator("#name").input_value() == "alice"
    other.keyboard.press("Enter")
    expect(other.locator("#door-words")).to_contain_text("tab")
    alice.page.close()
    other.keyboard.press("Enter")
    other.locator("#chat").wait_for(state="visible")
    alice.page = other
    bob.until("alice has arrived\n")
    alice.say("/quit bye")
    alice.page.locator("#door").wait_for(state="visible")
    bob.until("alice has left (bye)\n")
    alice.fine()


def reads_elsewhere(browser, server, pictures):
    """Lines that an owner has read in one browser are not new in another."""
    del pictures
    bob = server.netcat("bob")
    owner = server.netcat("alice")
    for line in ("/register", "correct horse", "correct horse"):
        owner.say(line)
    owner.until("your password from now on\n")
    here, there = Reader(browser, server), Reader(browser, server)
    lobby = {}
    for reader in (here, there):
        reader.page.goto(server.url())
        reader.page.locator("#name").fill("alice")
        reader.page.keyboard.press("Enter")
        password = reader.page.locator("#password")
        password.wait_for(state="visible")
        password.fill("correct horse")
        reader.page.keyboard.press("Enter")
        reader.page.locator("#chat").wait_for(state="visible")
        reader.say("/join tea")
        reader.page.wait_for_url("**/tea")
        lobby[reader] = reader.page.locator("#room-list li", has_text="lobby")
        expect(lobby[reader]).not_to_contain_text("1")
    bob.say("new in both")
    for reader in (here, there):
        expect(lobby[reader]).to_contain_text("1")
    lobby[here].get_by_text("lobby").click()
    here.line("new in both")
    expect(lobby[there]).not_to_contain_text("1")
    here.fine()
    there.fine()


def leaves_all_rooms(browser, server, pictures):
    """A person who leaves the last room stays on the server, also after a reload, and joins another one."""
    bob = server.netcat("bob")
    alice = Reader(browser, server).enter("alice")
    bob.until("alice has arrived\n")
    page, field = alice.page, alice.page.locator("#input")
    alice.say("/leave")
    bob.until("alice has left\n")
    page.locator("#choose").wait_for(state="visible")
    page.wait_for_url(server.url(""))
    alice.say("anybody?")
    expect(page.locator("#hint")).to_contain_text("You are in no room")
    expect(field).to_have_value("anybody?")
    field.fill("")
    alice.say("/topic tea time")
    page.locator("#lines .note", has_text="You are in no room").wait_for(state="visible")
    page.screenshot(path=f"{pictures}/no-room.png")
    bob.say("/msg alice where are you?")
    page.locator("#talk-list", has_text="bob").wait_for(state="visible")
    page.reload()
    page.locator("#choose").wait_for(state="visible")
    page.locator("#talk-list", has_text="bob").locator("button").first.click()
    alice.line("where are you?")
    alice.say("nowhere")
    bob.until("[alice -> bob] nowhere\n")
    alice.line("nowhere")
    page.reload()
    alice.line("nowhere")
    page.locator("#talk-list .leave").click()
    bob.say("still nobody")
    lines = bob.lines_until("bob: still nobody\n")
    assert not any("alice" in line for line in lines), lines
    page.locator("#choose").click()
    page.locator("#wanted").fill("tea")
    page.keyboard.press("Enter")
    expect(page.locator("#people-list li")).to_have_text(["alice"])  # what is typed before waits in the field
    page.wait_for_url("**/tea")
    alice.say("in tea")
    alice.line("in tea")
    server.stop()
    page.locator("#state").wait_for(state="visible")
    server.start()
    page.locator("#state").wait_for(state="hidden")
    page.locator("#room-list .leave").click()
    page.locator("#choose").wait_for(state="visible")
    alice.say("/join lobby")
    page.wait_for_url("**/lobby")
    expect(page.locator("#people-list li")).to_have_text(["alice"])
    alice.fine()


def scrolls_back(browser, server, pictures):
    """All lines of a long room can be reached, and hidden lines are counted in their place."""
    bob = server.netcat("bob")
    for number in range(1, 3_701):
        bob.say(f"line {number}")
    bob.until("bob: line 3700\n")
    alice = Reader(browser, server).enter("alice")
    alice.line("line 3700")
    top = alice.page.locator("#lines .item").first

    def to_top():
        alice.page.wait_for_function(
            """() => {
                const scroller = document.getElementById('scroller');
                scroller.scrollTop = 0;
                const first = document.querySelector('#lines .item');
                return first.matches('.gap') || first.querySelector('.text').textContent === 'line 1';
            }""",
            polling=20,
        )

    to_top()
    assert top.evaluate("(node) => node.matches('.gap')"), "no gap is told of"
    alice.page.screenshot(path=f"{pictures}/gap.png")
    top.locator("button").click()
    expect(top.locator("button")).to_have_count(0)
    to_top()
    assert alice.texts()[0] == "line 1"
    items = alice.page.locator("#lines .item").count()
    assert items < 3_600, f"{items} items"
    bob.say("news")
    alice.page.locator("#newest").click()
    alice.line("news")
    expect(alice.page.locator("#input")).to_be_focused()
    alice.fine()


def by_keys(browser, server, pictures):
    """Keys alone reach rooms, pages and the newest lines; and the page says why it does not send."""
    alice = Reader(browser, server, timezone_id="Asia/Tokyo").enter("alice")
    for number in range(100):
        alice.say(f"line {number}")
    alice.line("line 99")
    page = alice.page
    field = page.locator("#input")
    alice.say("/join tea")
    page.wait_for_url("**/tea")
    page.locator("#empty").wait_for(state="visible")
    assert page.locator("#share").input_value().endswith("/tea")
    page.keyboard.press("Alt+ArrowUp")
    page.wait_for_url("**/lobby")
    page.keyboard.press("Alt+ArrowDown")
    page.wait_for_url("**/tea")
    page.keyboard.press("Control+k")
    page.locator("#wanted").press_sequentially("lob")
    page.keyboard.press("Enter")
    page.wait_for_url("**/lobby")
    expect(field).to_be_focused()
    page.keyboard.press("PageUp")
    page.locator("#newest").wait_for(state="visible")
    expect(field).to_be_focused()
    page.keyboard.press("Escape")
    page.locator("#newest").wait_for(state="hidden")
    field.press_sequentially("/")
    menu = page.locator("#menu")
    menu.wait_for(state="visible")
    assert not menu.get_by_text("/kick").is_visible(), "of no use to who keeps no order"
    page.keyboard.press("Escape")
    field.fill("")
    paste = """(text) => {
        const data = new DataTransfer();
        data.setData('text/plain', text);
        document.activeElement.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true }));
    }"""
    page.evaluate(paste, "\n".join(f"{number}" for number in range(500)))
    expect(page.locator("#pasted")).to_contain_text("200")
    assert not page.locator("#together").is_visible()
    field.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#hint")).to_contain_text("200")
    field.fill("")
    # The times beside the lines are in the reader's zone, and so is the time of /since.
    now = page.evaluate("new Date(Date.now() - 5 * 60_000).toTimeString().slice(0, 5)")
    alice.say(f"/since {now}")
    page.wait_for_function("() => document.querySelectorAll('#lines .typed').length === 1")
    later = page.evaluate("new Date(Date.now() + 5 * 60_000).toLocaleDateString('sv') + ' 23:59'")
    alice.say(f"/since {later}")
    page.locator("#lines .typed + .note").wait_for()
    assert page.locator("#lines .note", has_text="since").count() == 0
    # Code is shown as code, and is text.
    alice.say("try `<b>x</b>` now")
    page.locator("#lines code", has_text="<b>x</b>").wait_for()
    page.evaluate(paste, "```\nfn main() {\n    <i>1</i>\n}\n```")
    page.locator("#together").click()
    page.locator("#lines .code", has_text="<i>1</i>").wait_for()
    assert page.locator("#lines .code").count() == 5
    alice.say("and prose again")
    alice.line("and prose again")
    assert page.locator("#lines .code", has_text="prose").count() == 0
    page.screenshot(path=f"{pictures}/code.png")
    alice.fine()


def distinct(browser, server, pictures):
    """People in a room have different colours, and keep them while they stay."""
    alice = Reader(browser, server).enter("alice")
    names = ["mara", "dora", "olga", "tina", "bob", "carol"]
    others = [server.netcat(name) for name in names]
    rows = alice.page.locator("#people-list li")
    expect(rows).to_have_text(sorted(["alice", *names]))
    hues = "(rows) => rows.map((row) => row.querySelector('.name').style.getPropertyValue('--hue'))"
    before = rows.evaluate_all(hues)
    assert len(set(before)) == 7, before
    others[0].say("hello")
    alice.line("hello")
    others[5].say("/quit")
    expect(rows).to_have_text(sorted(["alice", *names[:5]]))
    after = dict(zip(sorted(["alice", *names[:5]]), rows.evaluate_all(hues)))
    was = dict(zip(sorted(["alice", *names]), before))
    assert all(was[name] == hue for name, hue in after.items()), (was, after)
    said = alice.page.locator("#lines .said .name", has_text="mara").first
    assert said.evaluate("(node) => node.style.getPropertyValue('--hue')") == after["mara"]
    alice.page.screenshot(path=f"{pictures}/colours.png")
    alice.fine()


def gives_back(browser, server, pictures):
    """Lines that were unsent when the server died return to the field, in order."""
    alice = Reader(browser, server).enter("alice")
    alice.say("arrives")
    alice.line("arrives")
    server.process.send_signal(signal.SIGSTOP)
    os.waitpid(server.process.pid, os.WUNTRACED)  # until it has stopped
    lines = [f"on its way {number}" for number in range(5)]
    for line in lines:
        alice.say(line)
    server.process.kill()
    server.process.wait()
    alice.page.locator("#state").wait_for(state="visible")
    server.start()
    alice.page.locator("#state").wait_for(state="hidden")
    expect(alice.page.locator("#input")).to_have_value("\n".join(lines))
    alice.page.screenshot(path=f"{pictures}/given-back.png")
    assert alice.texts() == ["arrives"], alice.texts()
    alice.fine()


def removed(browser, server, pictures):
    """A removed person reads the reason, and is then in another room or in none."""
    keeper = server.netcat("bob")
    for line in ("/register", "correct horse", "correct horse"):
        keeper.say(line)
    keeper.until("your password from now on\n")
    keeper.say("/join den")
    keeper.until("-- You are a keeper of this room\n")
    alice = Reader(browser, server).enter("alice")
    for number in range(100):
        alice.say(f"filler {number}")
    alice.line("filler 99")
    alice.say("/join den")
    alice.page.wait_for_url("**/den")
    alice.say("/leave lobby")
    alice.page.locator("#room-list", has_text="lobby").wait_for(state="detached")
    keeper.say("/kick alice wrong door")
    alice.page.locator("#lines .note", has_text="wrong door").wait_for(state="visible")
    alice.page.locator("#choose").wait_for(state="visible")
    alice.page.wait_for_url(server.url(""))
    alice.say("/join lobby")
    alice.page.wait_for_url("**/lobby")
    alice.say("/join den")
    alice.page.wait_for_url("**/den")
    keeper.say("/ban alice 1h too loud")
    why = alice.page.locator("#lines .note", has_text="too loud")
    why.wait_for(state="visible")
    alice.page.wait_for_url("**/lobby")
    assert why.bounding_box()["y"] < alice.page.locator("#compose").bounding_box()["y"], "out of sight"
    alice.page.screenshot(path=f"{pictures}/removed.png")
    alice.page.go_back()
    # Once as an event, and once as the answer to rejoining.
    alice.page.locator("#lines .note", has_text="bob has banned you from den").nth(1).wait_for(state="visible")
    alice.page.wait_for_url("**/lobby")
    alice.say("/register")
    why, answer = alice.page.locator("#asked-again"), alice.page.locator("#answer")
    for question, typed, reason in (
        ("New password", "short", ""),
        ("New password", "correct horse", "A password needs at least 8 characters"),
        ("Repeat", "another horse", ""),
        ("New password", "", "The two passwords differ"),
    ):
        expect(alice.page.locator("#asked")).to_contain_text(question)
        expect(why).to_have_text(re.compile(f"^{reason}.*" if reason else "^$"))
        expect(answer).to_have_attribute("autocomplete", "new-password")
        answer.fill(typed)
        if typed:
            alice.page.keyboard.press("Enter")
    alice.page.screenshot(path=f"{pictures}/asked-again.png")
    alice.page.keyboard.press("Escape")
    alice.page.locator("#lines .note", has_text="No password typed; nothing is changed").wait_for(state="visible")
    assert not alice.page.locator("#asking").is_visible()
    alice.fine()


def closed_rooms(browser, server, pictures):
    """A room with a password asks for it, until it is right or nobody wants to enter; so does its address."""
    keeper = server.netcat("bob")
    keeper.say("/join tea")
    keeper.until("-- You keep this room while you are here\n")
    keeper.say("/room password beer")
    keeper.until("-- bob gave the room a password: /room shows it\n")
    for locale, asked, wrong, left in (
        ("en-GB", "Password of the room tea", "That is another password.", "tea has a password"),
        ("zh-CN", "房间 tea 的密码", "密码不对", "这个房间有密码"),
    ):
        alice = Reader(browser, server, locale=locale).enter("alice")
        question, why, answer = (alice.page.locator(id) for id in ("#asked", "#asked-again", "#answer"))
        alice.say("/join tea")
        expect(question).to_have_text(asked)
        expect(why).to_have_text("")
        answer.fill("ale")
        alice.page.keyboard.press("Enter")
        expect(why).to_contain_text(wrong)
        alice.page.screenshot(path=f"{pictures}/room-password-{locale}.png")
        alice.page.keyboard.press("Escape")
        alice.page.locator("#lines .note", has_text=left).wait_for(state="visible")
        alice.page.wait_for_url("**/lobby")
        alice.say("/join tea")
        answer.fill("beer")
        alice.page.keyboard.press("Enter")
        alice.page.wait_for_url("**/tea")
        keeper.until("alice has arrived\n")
        alice.say("hello")
        keeper.until("alice: hello\n")
        alice.say("/room")
        alice.page.locator("#lines .note", has_text="beer").wait_for(state="visible")
        alice.page.screenshot(path=f"{pictures}/room-with-password-{locale}.png")
        alice.fine()
        alice.context.close()
        keeper.until("alice has left\n")
    server_lines = server.netcat("erin")
    server_lines.say("/join den")
    server_lines.until("-- You keep this room while you are here\n")
    server_lines.say("/room invited")
    server_lines.until("-- erin lets only people in who are invited: /invite NAME\n")
    carol = Reader(browser, server).enter("carol", "tea")
    expect(carol.page.locator("#asked")).to_have_text("Password of the room tea")
    carol.page.locator("#answer").fill("beer")
    carol.page.keyboard.press("Enter")
    keeper.until("carol has arrived\n")
    carol.page.wait_for_url("**/tea")
    carol.fine()
    dave = Reader(browser, server).enter("dave", "den")
    dave.page.locator("#lines .note", has_text="den is for invited people only").wait_for(state="visible")
    dave.page.locator("#choose").wait_for(state="visible")
    dave.page.screenshot(path=f"{pictures}/invited-only.png")
    dave.fine()


def goes_away(browser, server, pictures):
    """A person who is away sees it, also after a reload, and comes back with a click."""
    bob = server.netcat("bob")
    for locale, shown, back, other in (
        ("en-GB", "You are away: at lunch", "I'm back", "You are back"),
        ("zh-CN", "你暂时离开了：at lunch", "我回来了", "你回来了"),
    ):
        alice = Reader(browser, server, locale=locale).enter("alice")
        away = alice.page.locator("#away")
        expect(away).to_be_hidden()
        alice.say("/away at lunch")
        alice.page.locator("#lines .note", has_text=shown).wait_for(state="visible")
        expect(away).to_contain_text(shown)
        alice.page.screenshot(path=f"{pictures}/away-{locale}.png")
        bob.say("/msg alice hi")
        bob.until("-- alice is away: at lunch\n")
        alice.page.reload()
        expect(away).to_contain_text(shown)
        alice.page.get_by_role("button", name=back).click()
        alice.page.locator("#lines .note", has_text=other).wait_for(state="visible")
        expect(away).to_be_hidden()
        bob.say("/away there")
        bob.until("-- You are away: there; type /away when you are back\n")
        alice.say("/msg bob hello")
        alice.page.locator("#lines .note", has_text="there").wait_for(state="visible")
        bob.say("/away")
        bob.until("-- You are back\n")
        alice.fine()
        alice.context.close()
        bob.until("alice has left\n")


def main():
    scene, program, pictures = sys.argv[1:]
    os.makedirs(pictures, exist_ok=True)
    with opened(program) as (browser, server):
        globals()[scene](browser, server, pictures)


if __name__ == "__main__":
    main()
