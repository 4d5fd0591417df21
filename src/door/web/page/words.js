// What the page says, in English and in Chinese. Knows neither the page nor the server.
// {name} stands for what somebody typed; {n line lines} for the word that follows a number.

const words = {
	yourName: ['Your name', '你的名字'],
	password: ['Password', '密码'],
	enter: ['Enter', '进入'],
	place: ['The door to {room}', '即将进入 {room}'],
	nameless: ['Without a name you are your address.', '不写名字就用你的地址。'],
	youLeft: ['You have left.', '你已离开。'],
	rooms: ['Rooms', '房间'],
	people: ['People', '成员'],
	search: ['Search', '搜索'],
	leave: ['Leave {name}', '离开 {name}'],
	notify: ['Notify me when I am named', '有人提到我时通知我'],
	about: ['Say what this room is about', '写下这个房间的话题'],
	lines: ['What is said', '聊天内容'],
	say: ['Say something in {name}', '在 {name} 说点什么'],
	browse: ['Join a room', '加入房间'],
	privately: ['to {to} alone:', '只对 {to} 说：'],
	send: ['Send', '发送'],
	choices: ['What can stand here', '可以输入的内容'],
	newest: ['Newest lines', '最新消息'],
	news: ['New', '新消息'],
	gap: ['{n} {n line lines} not shown', '有 {n} 行没有显示'],
	show: ['Show', '显示'],
	anew: ['The server began anew; nothing from before is left.', '服务器重新开始了，以前的内容没有了。'],
	kept: ['Lines here are kept.', '这里说的话会保存。'],
	keptFor: ['Lines here are kept for {n} {n day days}.', '这里说的话会保存 {n} 天。'],
	notKept: ['Lines here are gone when the server ends.', '服务器停止后，这里说的话就没有了。'],
	pasted: ['{n} lines', '一共 {n} 行'],
	together: ['Say them together', '一起发送'],
	oneLine: ['Make it one line', '合成一行'],
	tooMuch: ['Too much at once: 16 KB at most.', '一次太多了：最多 16 KB。'],
	broken: ['The connection is lost. Next try in {n} s.', '连接断了，{n} 秒后重试。'],
	lost: ['That did not arrive. Send it again?', '这没有送到。要重新发送吗？'],
	notNow: ['The connection is lost.', '没有连接。'],
	tryNow: ['Try now', '现在重试'],
	owned: ['{name} has an owner: what is the password?', '{name} 已有主人，请输入密码'],
	'for-own': ['The password of {name}', '{name} 的密码'],
	'for-new': ['A password for {name}; nobody else sees it', '给 {name} 设一个密码，别人看不到'],
	'for-again': ['The same once more', '再输入一次'],
	cancel: ['Cancel', '取消'],
	andOthers: ['{names} and {n} {n other others}', '{names} 和另外 {n} 人'],
	arrived: ['{name} has arrived', '{name} 来了'],
	left: ['{name} has left', '{name} 走了'],
	leftSaying: ['{name} has left ({words})', '{name} 走了（{words}）'],
	arrived_together: ['{names} have arrived', '{names} 来了'],
	left_together: ['{names} have left', '{names} 走了'],
	renamed: ['{from} is now known as {name}', '{from} 现在叫 {name}'],
	topic: ['{name} changed the topic to: {topic}', '{name} 把话题改为：{topic}'],
	topicCleared: ['{name} cleared the topic', '{name} 清除了话题'],
	took_back: ['{name} has taken back what {name} said', '{name} 收回了自己说过的话'],
};

/** Refusals whose kind says it all; for the others there are the server's words. */
const refusals = {
	'name-taken': '这个名字有人在用，或太像别人的，请换一个。',
	'wrong-password': '密码不对。',
	'password-too-short': '密码太短，没有改动。',
	'passwords-differ': '两次输入不一样，没有改动。',
	'nobody-called': '这里没有叫这个名字的人。',
	'not-reading': '对方没有在看，消息没有送到。',
	away: '对方不在，消息没有送到。',
};

const commands = {
	help: '列出命令，或解释一个命令',
	who: '看谁在这里',
	name: '换一个名字',
	me: '说你在做什么',
	msg: '只写给一个人',
	rooms: '列出房间',
	join: '加入另一个房间',
	topic: '查看或设置话题',
	last: '再看最近的几行',
	since: '看某个时间以后的内容',
	search: '在所有房间里搜索',
	missed: '看被跳过的行',
	register: '用密码登记你的名字',
	forget: '收回你说过的所有话',
	code: '显示返回码',
	ignore: '不看某人说的话',
	unignore: '重新看某人说的话',
	quiet: '不显示谁来谁走',
	quit: '离开，可以留一句话',
};

export const isChinese = /^zh\b/i.test(navigator.language);

/** A sentence in pieces: our words as strings, those of others as `{ name }`. */
export function parts(key, fields = {}) {
	return words[key][Number(isChinese)].split(/\{(.+?)\}/).map((part, place) => {
		if (place % 2 === 0) return part;
		const [field, one, many] = part.split(' ');
		if (one) return fields[field] === 1 ? one : many;
		return { name: String(fields[field]) };
	});
}

/** The same as one string. */
export const say = (key, fields) => parts(key, fields).map((part) => part.name ?? part).join('');

export const why = ({ why, text }) => (isChinese && refusals[why]) || text;
export const does = ({ name, does }) => (isChinese && commands[name]) || does;
