//! Every script in docs/scripting.md runs and does what the page says.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process_group};
use serde_json::{Value, json};

use crate::data::{Data, enter};
use crate::guest::Guest;
use crate::owners::{PASSWORD, register};
use crate::server::Server;
use crate::visitor::Visitor;

/// The scripts of the page, and a server for them.
struct Scripts {
    data: Data,
    server: Server,
    web: SocketAddr,
    blocks: Vec<String>,
    folder: tempfile::TempDir,
}

impl Scripts {
    fn new() -> Scripts {
        let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/scripting.md");
        let page = fs::read_to_string(page).unwrap();
        let blocks = page.split("```sh\n").skip(1);
        let blocks = blocks.map(|block| block.split("```").next().unwrap().to_owned());
        let data = Data::new();
        let server = data.open(&["--listen", "http://127.0.0.1:0"]);
        Scripts {
            web: server.web(),
            blocks: blocks.collect(),
            folder: tempfile::tempdir().unwrap(),
            data,
            server,
        }
    }

    /// Removes the script with this part, and adapts it to this server.
    fn take(&mut self, part: &str) -> String {
        let index = self.blocks.iter().position(|block| block.contains(part)).unwrap();
        let block = self.blocks.remove(index);
        block.replace("localhost:8080", &self.web.to_string())
    }

    fn command(&self, script: &str) -> Command {
        let program = Path::new(env!("CARGO_BIN_EXE_parlor"));
        let path = std::env::join_paths(
            [program.parent().unwrap().to_owned()]
                .into_iter()
                .chain(std::env::split_paths(&std::env::var_os("PATH").unwrap())),
        );
        let mut command = self.data.parlor_by("bash", &["-c", script]);
        command.env("PATH", path.unwrap()).current_dir(self.folder.path()).stdin(Stdio::null());
        command
    }

    /// Runs a script to its end. Returns its stdout.
    fn run(&mut self, part: &str) -> String {
        let script = self.take(part);
        self.run_script(&script)
    }

    fn run_script(&self, script: &str) -> String {
        let output = self.command(script).output().unwrap();
        assert!(output.status.success(), "{script}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Starts a script that follows a room, and waits until it does.
    fn follow(&mut self, part: &str, room: &str) -> Following {
        self.follow_closed(part, room, "any")
    }

    /// The same in a room that may have a password.
    fn follow_closed(&mut self, part: &str, room: &str, password: &str) -> Following {
        let script = self.take(part);
        let mut command = self.command(&script);
        let mut child = command.process_group(0).stdout(Stdio::piped()).spawn().unwrap();
        let mut visitor = Visitor::connect(self.web);
        visitor.asks(r#"{"do":"enter","name":"waits","room":null,"id":"in"}"#);
        visitor.until_done("in");
        let join = json!({"do": "join", "room": room, "args": [password], "id": "at"});
        visitor.asks(join.to_string());
        visitor.until_done("at");
        let listening = |visitor: &mut Visitor| -> Value {
            visitor.asks(r#"{"do":"who","id":"w"}"#);
            let heard = visitor.until_done("w");
            heard.iter().find(|m| m["kind"] == "who").unwrap()["listening"].clone()
        };
        while listening(&mut visitor) == 0 {}
        let lines = BufReader::new(child.stdout.take().unwrap());
        Following { child, lines }
    }
}

/// A script that follows a room. Dropping it ends it and its children.
struct Following {
    child: Child,
    lines: BufReader<std::process::ChildStdout>,
}

impl Following {
    fn line(&mut self) -> String {
        let mut line = String::new();
        self.lines.read_line(&mut line).unwrap();
        line
    }

    fn until(&mut self, wanted: &str) {
        while let line = self.line()
            && line != wanted
        {
            assert_ne!(line, "", "the script ended before {wanted:?}");
        }
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        kill_process_group(Pid::from_child(&self.child), Signal::TERM).ok();
        self.child.wait().ok();
    }
}

fn says(guest: &mut Guest, line: &str) {
    guest.say(line);
    guest.lines_until(line, |heard| heard.ends_with(&format!(": {line}")));
}

#[test]
fn every_script_of_the_page_does_what_it_says() {
    let mut scripts = Scripts::new();
    let mut bob = enter(&scripts.server, "bob");

    assert_eq!(scripts.run("build 1234 is green"), "1\n");
    bob.until("ci: build 1234 is green");
    says(&mut bob, "thanks");
    assert!(scripts.run("last=50").contains("] bob: thanks\n"));
    let counted = scripts.run("uniq -c");
    assert!(counted.contains("1 \"name\":\"bob\""), "{counted}");
    assert!(scripts.run("df -h").starts_with("1\n2\n"));
    assert_eq!(scripts.run("nightly backup"), "3\n");

    fs::write(scripts.folder.path().join("app.log"), "fine\nERROR one\n").unwrap();
    bob.say("/join ops");
    bob.lines_until("the room", |line| line.starts_with("In ops"));
    let tail = scripts.take("tail -n +1");
    let mut tail = scripts.command(&tail).process_group(0).stdout(Stdio::null()).spawn().unwrap();
    bob.until("app: ERROR one");
    kill_process_group(Pid::from_child(&tail), Signal::TERM).unwrap();
    tail.wait().unwrap();

    let mut bell = scripts.follow("alarm", "ops");
    says(&mut bob, "all is well");
    says(&mut bob, "ALARM in the cellar");
    assert_eq!(bell.line(), "\u{7}bob: ALARM in the cellar\n");
    drop(bell);

    let mut deploy = scripts.follow("deploy!", "ops");
    says(&mut bob, "shall we deploy!?");
    says(&mut bob, "deploy!");
    assert_eq!(deploy.line(), "deploying\n");
    drop(deploy);

    bob.say("/join lobby");
    bob.lines_until("the room", |line| line.starts_with("In lobby"));
    let clock = scripts.follow("!time", "lobby");
    bob.say("!time");
    bob.lines_until("the time", |line| line.starts_with("clock: it is "));
    drop(clock);

    let log = Visitor::connect(scripts.web).hello["log"].clone();
    let events = scripts.take("Last-Event-ID").replace("LOG", log.as_str().unwrap());
    scripts.blocks.push(events);
    let mut events = scripts.follow("Last-Event-ID", "lobby");
    assert_eq!(events.line(), format!("id: {}:2\n", log.as_str().unwrap()));
    drop(events);

    let mut alice = enter(&scripts.server, "alice");
    register(&mut alice, PASSWORD);
    let token = alice.token();
    let with_token = scripts.take("TOKEN").replace("TOKEN", &token);
    scripts.run_script(&with_token);
    alice.until("alice: on my way");

    let mut erin = enter(&scripts.server, "erin");
    erin.say("/join tea");
    erin.lines_until("the room", |line| line.starts_with("In tea"));
    erin.say("/room password beer");
    erin.until("-- erin gave the room a password: /room shows it");
    let mut closed = scripts.follow_closed("Room-Password", "tea", "beer");
    erin.until("ci: built");
    says(&mut erin, "well done");
    assert_eq!(closed.line(), "1\n");
    closed.until("erin: well done\n");
    drop(closed);

    scripts.run("parlor export");
    let today = fs::read_to_string(scripts.folder.path().join("today.jsonl")).unwrap();
    assert!(today.contains("\"alice\"") && today.contains("\"ops\""), "{today}");
    assert!(scripts.folder.path().join("everything.db").exists());

    assert_eq!(scripts.blocks, Vec::<String>::new(), "lines that nobody has tried");
    scripts.server.close([alice, bob, erin]);
}
