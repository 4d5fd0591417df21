"""A client made with the library irc: with_irc.py PORT NICK PASSWORD.

It takes commands, one a line, and prints what it hears.
"""

import sys
import threading

import irc.client


class Client(irc.client.SimpleIRCClient):
    room = "#tea"

    def on_welcome(self, connection, event):
        print("ready", flush=True)
        threading.Thread(target=self.obey, daemon=True).start()

    def obey(self):
        for line in sys.stdin:
            command, _, words = line.rstrip("\n").partition(" ")
            match command:
                case "join":
                    self.connection.join(words)
                case "say":
                    self.connection.privmsg(self.room, words)
                case "act":
                    self.connection.action(self.room, words)
                case "nick":
                    self.connection.nick(words)
                case "quit":
                    self.connection.quit(words)

    def on_pubmsg(self, connection, event):
        print(f"{event.target} <{event.source.nick}> {event.arguments[0]}", flush=True)

    def on_nick(self, connection, event):
        print(f"{event.source.nick} is {event.target}", flush=True)

    def on_kick(self, connection, event):
        print(f"{event.source.nick} kicks {event.arguments}", flush=True)


port, nick, password = sys.argv[1:]
client = Client()
client.connect("127.0.0.1", int(port), nick, password=f"{nick}:{password}")
client.start()
