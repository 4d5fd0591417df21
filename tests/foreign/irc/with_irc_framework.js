// A client made with irc-framework: with_irc_framework.js PORT NICK PASSWORD. It takes commands, one a line, and prints what it hears.

const readline = require('readline');
const { Client } = require('irc-framework');

const [port, nick, password] = process.argv.slice(2);
const room = '#tea';
const client = new Client({ host: '127.0.0.1', port: Number(port), nick, username: nick, gecos: nick, account: { account: nick, password }, auto_reconnect: false });
const commands = {
	join: (words) => client.join(words),
	say: (words) => client.say(room, words),
	act: (words) => client.action(room, words),
	nick: (words) => client.changeNick(words),
	quit: (words) => client.quit(words),
};

client.on('registered', () => {
	console.log('ready');
	readline.createInterface({ input: process.stdin }).on('line', (line) => {
		const [command, ...words] = line.split(' ');
		commands[command](words.join(' '));
	});
});
client.on('privmsg', ({ target, nick: from, message }) => console.log(`${target} <${from}> ${message}`));
client.on('nick', ({ nick: old, new_nick: now }) => console.log(`${old} is ${now}`));
client.on('kick', ({ kicked, nick: by, message }) => console.log(`${by} kicks ${kicked}: ${message}`));
client.on('close', () => process.exit(0));
client.connect();
