//! A server becomes the first of several nodes, and a node becomes a server of its own again.

use std::net::SocketAddr;

use crate::chatter::Chatter;
use crate::data::Data;
use crate::nats::Nats;
use crate::server::Server;

/// The door of IRC.
const IRC: [&str; 2] = ["--listen", "irc://127.0.0.1:0?server=irc.example"];

/// The capabilities that the clients of IRC in these tests ask for.
const CAPABILITIES: &str = "draft/chathistory message-tags echo-message";

/// The ids and texts of the last lines of the lobby, as a server knows them.
fn stored_lines(server: &Server) -> Vec<(String, String)> {
    let mut reader = chatter(server.listening("irc"), "reader");
    reader.say("CHATHISTORY LATEST #lobby * 50");
    let shown = reader.until(":irc.example BATCH -{}");
    let said = shown.iter().filter(|message| message.command() == "PRIVMSG");
    let id_and_text = said.map(|message| {
        (message.tag("msgid").unwrap().to_owned(), message.parameters()[1].to_owned())
    });
    id_and_text.collect()
}

fn chatter(irc: SocketAddr, name: &str) -> Chatter {
    let mut chatter = Chatter::connect(irc).enter_with(name, CAPABILITIES);
    chatter.joins("#lobby");
    chatter
}

/// Alice says a line in the lobby. Returns its id and its text.
fn say(server: &Server, text: &str) -> (String, String) {
    let mut alice = chatter(server.listening("irc"), "alice");
    alice.say(&format!("PRIVMSG #lobby :{text}"));
    let echo = alice.until(&format!(":alice!{{}} PRIVMSG #lobby :{text}"));
    (echo.last().unwrap().tag("msgid").unwrap().to_owned(), text.to_owned())
}

#[test]
fn lines_have_the_same_ids_on_each_node_after_a_restart_and_on_one_server() {
    let Some(nats) = Nats::start() else { return };
    let data = [Data::new(), Data::new()];
    let mut lines = Vec::new();
    for text in ["one", "two"] {
        let red = nats.node_with("red", &data[0], &IRC);
        lines.push(say(&red, text));
        assert_eq!(stored_lines(&red), lines);
        red.close(());
    }
    let red = nats.node_with("red", &data[0], &IRC);
    let blue = nats.node_with("blue", &data[1], &IRC);
    lines.push(say(&blue, "three"));
    assert_eq!((stored_lines(&red), stored_lines(&blue)), (lines.clone(), lines.clone()));
    blue.close(());
    red.close(());
    for text in ["four", "five"] {
        let alone = data[0].open(&IRC);
        assert_eq!(stored_lines(&alone), lines);
        lines.push(say(&alone, text));
        alone.close(());
    }
}
