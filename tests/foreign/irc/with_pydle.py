"""A client made with pydle: with_pydle.py PORT NICK PASSWORD. It takes commands, one a line, and prints what it hears."""

import asyncio
import sys

import pydle


class Client(pydle.Client):
    room = "#tea"

    async def on_connect(self):
        await super().on_connect()
        print("ready", flush=True)
        loop = asyncio.get_running_loop()
        loop.create_task(self.obey(loop))

    async def obey(self, loop):
        while line := await loop.run_in_executor(None, sys.stdin.readline):
            command, _, words = line.rstrip("\n").partition(" ")
            match command:
                case "join":
                    await self.join(words)
                case "say":
                    await self.message(self.room, words)
                case "act":
                    await self.ctcp(self.room, "ACTION", words)
                case "nick":
                    await self.set_nickname(words)
                case "quit":
                    await self.quit(words)

    async def on_message(self, target, by, message):
        print(f"{target} <{by}> {message}", flush=True)

    async def on_nick_change(self, old, new):
        print(f"{old} is {new}", flush=True)

    async def on_kick(self, channel, target, by, reason=None):
        print(f"{by} kicks {target} from {channel}: {reason}", flush=True)


async def main():
    port, nick, password = sys.argv[1:]
    client = Client(nick, username=nick, realname=nick)
    await client.connect("127.0.0.1", int(port), tls=False, password=f"{nick}:{password}")
    await asyncio.Event().wait()


asyncio.run(main())
