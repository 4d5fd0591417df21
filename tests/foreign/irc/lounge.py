"""The Lounge, an IRC client that people use in a browser, driven through a real browser."""

import json
import os
import socket
import subprocess

from playwright.sync_api import sync_playwright

from clients import NODE, NODE_MODULES, SERVER_PASSWORD, Client
from world import NICK, STEP_SECONDS, Heard, free_port, until

CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")


class Lounge(Client):
    needs = [str(NODE), str(NODE_MODULES / "thelounge"), CHROMIUM]

    def begin(self):
        own = free_port()
        network = {
            "name": "Parlor",
            "host": "127.0.0.1",
            "port": self.port,
            "tls": False,
            "rejectUnauthorized": False,
            "password": SERVER_PASSWORD,
            "nick": NICK,
            "username": NICK,
            "realname": NICK,
            "join": "",
            "leaveMessage": "bye",
        }
        # `bind` is also the address of its own connections: with it they stay on this machine.
        settings = {
            "public": True,
            "host": "127.0.0.1",
            "bind": "127.0.0.1",
            "port": own,
            "messageStorage": [],
            "prefetch": False,
            "defaults": network,
        }
        (self.home / "config.js").write_text(f"module.exports = {json.dumps(settings)};")
        self.run(
            [NODE, NODE_MODULES / "thelounge/index.js", "start"],
            env={"THELOUNGE_HOME": str(self.home)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        until("The Lounge", lambda: socket.socket().connect_ex(("127.0.0.1", own)) == 0)
        self.playwright = sync_playwright().start()
        self.browser = self.playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        )
        self.page = self.browser.new_page(viewport={"width": 1000, "height": 640})
        self.page.set_default_timeout(STEP_SECONDS * 1000)
        # Else it hides who comes and goes, and Enter takes a suggested name.
        shown = json.dumps(json.dumps({"statusMessages": "shown", "autocomplete": False}))
        self.page.add_init_script(f"localStorage.setItem('settings', {shown})")
        self.page.goto(f"http://127.0.0.1:{own}/")
        self.page.click("button[type=submit]")
        # Each window of The Lounge has its own address.
        self.heard = Heard(lambda: {self.page.url: self.page.inner_text("#chat")})
        self.hears("Lines here are stored")

    def types(self, line):
        self.page.fill("#input", line)
        self.page.keyboard.press("Enter")

    def leaves(self):
        self.page.screenshot(path=self.pictures / "the-lounge.png")
        super().leaves()

    def end(self):
        if hasattr(self, "browser"):
            self.browser.close()
        if hasattr(self, "playwright"):
            self.playwright.stop()
        super().end()
