"""How irctest starts Parlor: a server for each test, on a copy of a directory that has a keeper of the server."""

import atexit
import functools
import os
import shutil
import signal
import socket
import subprocess
import tempfile
from pathlib import Path

from irctest import patma
from irctest.basecontrollers import BaseServerController, DirectoryBasedController
from irctest.runner import NotImplementedByController
from irctest.specifications import Capabilities, OptionalBehaviors

PARLOR = os.environ.get("PARLOR", "parlor")

# The suite's tests say `OPER operuser operpassword`.
KEEPER, PASSWORD = "operuser", "operpassword"

# A longer password does not fit into a REGISTER, which has 512 bytes like every message.
IRC_PASSWORD_BYTES_MAX = 400

# The limit of time for each step of the preparation.
STEP_SECONDS = 180


def serve(data, *urls):
    """The command that serves `urls` on `data`: as fast as the suite talks, with passwords as short as its own."""
    limits = ["--keep", "written", "--rate", "off", "--password-chars", "3"]
    listeners = [word for url in urls for word in ("--listen", url)]
    return [PARLOR, "serve", *listeners, "--data", str(data), *limits]


def register(name, password, address):
    """Registers a name at the door for netcat."""
    with socket.create_connection(address, STEP_SECONDS) as person:
        person.sendall(f"{name}\n/register\n{password}\n{password}\n/quit\n".encode())
        heard = person.makefile(encoding="utf-8").read()
    assert f"{name} is registered" in heard, heard


@functools.cache
def prepared():
    """A directory in which the keeper has an account and the authority. All tests of this process share it."""
    directory = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, directory)
    data = directory / "data"
    server = subprocess.Popen(serve(data, "tcp://127.0.0.1:0"), stderr=subprocess.PIPE, text=True)
    try:
        words = next(line for line in server.stderr if "listening tcp " in line).split()
        host, port = words[words.index("tcp") + 1].rsplit(":", 1)
        register(KEEPER, PASSWORD, (host, int(port)))
        subprocess.check_call([PARLOR, "admin", "--data", data, "keeper", "add", KEEPER], stdout=subprocess.DEVNULL)
    finally:
        server.send_signal(signal.SIGTERM)
        server.stderr.read()
        server.wait(STEP_SECONDS)
    return data


class ParlorController(BaseServerController, DirectoryBasedController):
    software_name = "Parlor"
    supported_sasl_mechanisms = {"PLAIN"}
    supports_sts = False
    extban_mute_char = "m"
    _port_wait_interval = 0.01

    capabilities = frozenset(
        {
            Capabilities.ACCOUNT_NOTIFY,
            Capabilities.ACCOUNT_TAG,
            Capabilities.AWAY_NOTIFY,
            Capabilities.BATCH,
            Capabilities.ECHO_MESSAGE,
            Capabilities.EXTENDED_JOIN,
            Capabilities.EXTENDED_MONITOR,
            Capabilities.LABELED_RESPONSE,
            Capabilities.MESSAGE_TAGS,
            Capabilities.MULTILINE,
            Capabilities.MULTI_PREFIX,
            Capabilities.SERVER_TIME,
            Capabilities.SETNAME,
        }
    )

    optional_behaviors = frozenset(
        {
            OptionalBehaviors.CAP_REQ_MINUS,
            OptionalBehaviors.ELIST_M,
            OptionalBehaviors.ELIST_N,
            OptionalBehaviors.ELIST_U,
            OptionalBehaviors.MULTI_JOIN,
            OptionalBehaviors.MULTI_KICK,
            OptionalBehaviors.MULTI_PRIVMSG,
            OptionalBehaviors.SASL_AFTER_REGISTRATION,
        }
    )

    isupport = {
        "BOT": "B",
        "CASEMAPPING": "ascii",
        "CHANTYPES": "#",
        "CHATHISTORY": patma.StrRe("[0-9]+"),
        "ELIST": "MNU",
        "EXTBAN": ",m",
        "MONITOR": "100",
        "MSGREFTYPES": "msgid,timestamp",
        "NICKLEN": "32",
        "TARGMAX": patma.ANYSTR,
        "UTF8ONLY": None,
        "WHOX": None,
    }

    def run(
        self,
        hostname,
        port,
        *,
        password,
        ssl,
        run_services,
        faketime,
        websocket_hostname=None,
        websocket_port=None,
    ):
        """Starts the server. Accounts and NickServ are always there, so `run_services` changes nothing."""
        if password is not None:
            raise NotImplementedByController("a password for the whole server")
        if ssl:
            raise NotImplementedByController("TLS")
        if websocket_hostname is not None or websocket_port is not None:
            raise NotImplementedByController("IRC over WebSockets")
        assert self.proc is None
        self.create_config()
        shutil.copytree(prepared(), self.directory / "data")
        self.hostname, self.port = hostname, port
        self.start()

    def start(self):
        url = f"irc://127.0.0.1:{self.port}?server=My.Little.Server"
        self.lines = self.get_hostname_and_port()
        self.proc = self.execute(serve(self.directory / "data", "tcp://{}:{}".format(*self.lines), url))

    def restart(self):
        self.kill_proc()
        self.port_open = False
        self.start()
        self.wait_for_port()

    def wait_for_services(self):
        """They come with the server."""

    def registerUser(self, case, username, password=None):
        """Registers a name, as its first owner would."""
        assert password
        if len(password) > IRC_PASSWORD_BYTES_MAX:
            self.wait_for_port()
            return register(username, password, self.lines)
        client = case.addClient(show_io=False)
        case.sendLine(client, f"NICK {username}")
        case.sendLine(client, "USER r e g :user")
        case.skipToWelcome(client)
        case.getMessages(client)
        case.sendLine(client, f"REGISTER * * {password}")
        told = case.getMessage(client)
        assert told.command == "REGISTER" and told.params[:2] == ["SUCCESS", username], told
        case.sendLine(client, "QUIT")
        case.assertDisconnected(client)


def get_irctest_controller_class():
    return ParlorController
