"""IRC clients of other authors, beside people with netcat and a browser, in one room: visits.py PARLOR [CLIENT...].

Each client does the same: it logs in with SASL or a password, joins, reads what was said before, hears the others, is
heard, takes another name, is removed, comes back, reads what it missed, and leaves. What it hears is taken from what it
shows to people. All clients visit at the same time, each its own server. Those that are not installed are skipped; if CI is set, that is a failure.
"""

import os
import sys
import tempfile
import traceback
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from clients import HexChat, Ii, Irc, IrcFramework, Irssi, IrssiTls, Limnoria, Pydle, Sic, WeeChat, WeeChatTls, Znc
from lounge import Lounge
from world import NICK, OTHER, World

CLIENTS = {
    "irssi": Irssi,
    "irssi-tls": IrssiTls,
    "weechat": WeeChat,
    "weechat-tls": WeeChatTls,
    "hexchat": HexChat,
    "the-lounge": Lounge,
    "znc": Znc,
    "ii": Ii,
    "sic": Sic,
    "limnoria": Limnoria,
    "pydle": Pydle,
    "irc": Irc,
    "irc-framework": IrcFramework,
}

PICTURES = Path(__file__).resolve().parents[3] / "target/pictures"


def visit(client, bob, carol):
    """The whole visit of a client."""
    client.bob, client.pictures = bob, PICTURES
    client.begin()
    client.joins()
    bob.has_arrived(NICK)
    client.hears("said before")
    bob.says("hello from netcat")
    client.hears("hello from netcat")
    carol.says("hello from a browser")
    client.hears("hello from a browser")
    client.says("hello from IRC")
    bob.hears(NICK, "hello from IRC")
    carol.hears(NICK, "hello from IRC")
    client.acts("waves")
    bob.hears_action(NICK, "waves")
    if hasattr(client, "away"):
        client.away(bob)
    client.renames(OTHER)
    bob.sees_renamed(NICK, OTHER)
    client.hears(OTHER)
    bob.removes(OTHER)
    client.is_removed()
    carol.says("said meanwhile")
    bob.hears("carol", "said meanwhile")
    client.joins()
    bob.has_arrived(OTHER)
    client.hears("said meanwhile")
    client.says("back again")
    bob.hears(OTHER, "back again")
    client.leaves()
    bob.has_left(OTHER)


def play(name, program):
    """One client at a server of its own."""
    with tempfile.TemporaryDirectory() as data, tempfile.TemporaryDirectory() as home:
        world = World(program, data, CLIENTS[name].scheme)
        client = CLIENTS[name](world.port, home)
        try:
            visit(client, world.bob, world.carol)
        finally:
            client.end()
            world.end()


def main():
    program, *names = sys.argv[1:]
    names = names or list(CLIENTS)
    missing = {name: lacks for name in names if (lacks := CLIENTS[name].missing())}
    failures, passed = {}, 0
    for name, lacks in missing.items():
        print(f"SKIPPED: {name}: not installed: {', '.join(lacks)}; ./test installs it", flush=True)
        if os.environ.get("CI"):
            failures[name] = "nothing may be skipped where CI is set\n"
    PICTURES.mkdir(parents=True, exist_ok=True)
    visitors = [name for name in names if name not in missing]
    with ThreadPoolExecutor(len(CLIENTS)) as pool:
        visits = {pool.submit(play, name, Path(program).resolve()): name for name in visitors}
        for ended in as_completed(visits):
            error = ended.exception()
            print(f"test {visits[ended]} ... {'FAILED' if error else 'ok'}", flush=True)
            if error:
                failures[visits[ended]] = "".join(traceback.format_exception(error))
            else:
                passed += 1
    for name, why in failures.items():
        print(f"\n---- {name} ----\n{why}")
    # ./test counts this line, as it does those of cargo.
    print(f"test result: {'FAILED' if failures else 'ok'}. {passed} passed; {len(failures)} failed; 0 ignored;")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
