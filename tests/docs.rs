//! The pages about Parlor are true, as far as a machine can check: links, options, commands,
//! limits, sentences, tests.

#![expect(clippy::unwrap_used, reason = "a failed step fails the test")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use parlor::config::Config;
use parlor_core::link::{
    Answer, BYTES_MAX, COMMANDS, Command as ChatCommand, Encoder, ITEMS_MAX, Notice, ROOMS_MAX,
    Refusal, WHO_MAX,
};
use parlor_core::model::{
    Act, Author, By, Damage, Deed, Flaw, Line, Missed, NAME_CHARS_MAX, Name, Reach, RoomName,
    Together, Verb, WallTime, Whom,
};
use parlor_wire::lines::LineEncoder;
use parlor_wire::style::{LineMode, LocalClock, Storage};

/// Options of other programs that the pages mention.
const OPTIONS_OF_OTHERS: [&str; 30] = [
    "--data-binary",   // curl
    "--line-buffered", // grep
    "--ssl",           // ncat
    "--tls",           // irssi
    "--retry",         // curl
    "--retry-connrefused",
    "--cfg",             // rustc
    "--locked",          // cargo, as the next six
    "--example",         // ..
    "--path",            // ..
    "--profile",         // ..
    "--release",         // ..
    "--test",            // ..
    "--workspace",       // ..
    "--quick",           // parlor-bench, as the next three
    "--door",            // ..
    "--bare",            // ..
    "--chat",            // ..
    "--now",             // systemctl
    "--offline",         // systemd-analyze
    "--reference",       // chown
    "--account",         // nsc, as the next eight
    "--config-file",     // ..
    "--js-consumer",     // ..
    "--js-disk-storage", // ..
    "--js-mem-storage",  // ..
    "--js-streams",      // ..
    "--mem-resolver",    // ..
    "--name",            // ..
    "--sys",             // ..
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn text(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// A page as one line, because a sentence may be wrapped anywhere.
fn unwrapped(path: &str) -> String {
    let text = text(path);
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// All files of the repository that people write, by their path from the root.
fn files() -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![root().to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() {
                let made = ["target", ".git", "corpus", "artifacts"];
                if !made.contains(&name.as_str()) {
                    folders.push(path);
                }
            } else if name != ".git" && name != "Cargo.lock" {
                files.push(path.strip_prefix(root()).unwrap().to_owned());
            }
        }
    }
    files.sort();
    files
}

fn with_extension(extension: &str) -> Vec<(PathBuf, String)> {
    let wanted = |path: &PathBuf| path.extension().is_some_and(|found| found == extension);
    let files = files().into_iter().filter(wanted);
    files.map(|path| (path.clone(), text(path.to_str().unwrap()))).collect()
}

/// The text between `before` and `after`, each time it occurs.
fn between<'a>(text: &'a str, before: &'a str, after: char) -> impl Iterator<Item = &'a str> {
    text.split(before)
        .skip(1)
        .filter_map(move |rest| rest.split_once(after))
        .map(|(found, _)| found)
}

/// The code spans in a line.
fn code(line: &str) -> impl Iterator<Item = &str> {
    line.split('`').skip(1).step_by(2)
}

/// The anchors of the headings: lower case, blanks as hyphens, signs left out.
fn anchors(text: &str) -> Vec<String> {
    let headings = text.lines().filter(|line| line.starts_with('#'));
    let anchor = |heading: &str| {
        let words = heading.trim_start_matches('#').trim().to_lowercase();
        let kept = words.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
        kept.collect::<String>().replace(' ', "-")
    };
    headings.map(anchor).collect()
}

#[test]
fn every_link_leads_somewhere() {
    let pages = with_extension("md");
    assert!(pages.len() >= 7, "{pages:?}");
    for (page, text) in &pages {
        for link in between(text, "](", ')').filter(|link| !link.contains("://")) {
            let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = match path {
                "" => page.clone(),
                path => page.parent().unwrap().join(path),
            };
            let target = root().join(target);
            assert!(target.exists(), "{}: {link}", page.display());
            if !anchor.is_empty() {
                let there = anchors(&fs::read_to_string(target).unwrap());
                assert!(there.iter().any(|name| name == anchor), "{}: {link}", page.display());
            }
        }
    }
}

/// The links of a page, as paths from the root.
fn links(page: &str) -> BTreeSet<String> {
    let folder = Path::new(page).parent().unwrap();
    let text = text(page);
    let from_root = |link: &str| match link.strip_prefix("../") {
        Some(above) => above.to_owned(),
        None if link.contains("://") => link.to_owned(),
        None => folder.join(link).to_string_lossy().into_owned(),
    };
    between(&text, "](", ')').map(from_root).collect()
}

/// Pages in English, each with its Chinese twin.
const TWINS: [[&str; 2]; 2] =
    [["README.md", "docs/README.zh.md"], ["docs/from-the-book.md", "docs/from-the-book.zh.md"]];

#[test]
fn each_chinese_page_has_the_same_commands_and_links() {
    for twins in TWINS {
        let [english, chinese] = twins.map(|page| {
            let mut links = links(page);
            for [english, chinese] in TWINS {
                if links.remove(chinese) {
                    links.insert(english.to_owned());
                }
            }
            links.remove(twins[0]);
            links
        });
        assert!(english.len() > 10, "{english:?}");
        assert_eq!(english, chinese);
        let texts = twins.map(text);
        let [english, chinese] =
            texts.each_ref().map(|text| between_fences(text).collect::<Vec<_>>());
        assert!(english.len() > 1, "{english:?}");
        assert_eq!(english, chinese);
        let [english, chinese] = texts.each_ref().map(|text| {
            let lines = text.lines().filter(|line| !line.starts_with("```"));
            lines.flat_map(code).collect::<BTreeSet<_>>()
        });
        assert_eq!(english, chinese);
    }
}

/// The commands in the code blocks of a page.
fn between_fences(text: &str) -> impl Iterator<Item = &str> {
    text.split("```").skip(1).step_by(2)
}

/// The words in `text` that look like options.
fn options_in(text: &str) -> BTreeSet<&str> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '-');
    let is_option = |word: &&str| {
        word.strip_prefix("--")
            .is_some_and(|name| name.starts_with(|c: char| c.is_ascii_lowercase()))
    };
    words.filter(is_option).collect()
}

#[test]
fn every_option_that_is_mentioned_exists() {
    let mut command = parlor::cli::command();
    command.build();
    let mut known: BTreeSet<String> = OPTIONS_OF_OTHERS.map(str::to_owned).into();
    for part in [&command].into_iter().chain(command.get_subcommands()) {
        let longs = part.get_arguments().filter_map(clap::Arg::get_long);
        known.extend(longs.map(|long| format!("--{long}")));
    }
    for (page, text) in with_extension("md") {
        // The pages for contributors mention all kinds of programs, and so do the benchmarks.
        let of_all_kinds =
            ["CONTRIBUTING.md", "packaging/RELEASE.md", "docs/benchmarks.md"].map(Path::new);
        for option in options_in(&text) {
            let is_known = known.contains(option) || of_all_kinds.contains(&page.as_path());
            assert!(is_known, "{}: {option}", page.display());
        }
    }
}

#[test]
fn the_table_of_options_has_each_with_its_variable_and_its_default() {
    let page = text("docs/configuration.md");
    let mut command = parlor::cli::command();
    command.build();
    let serve = command.find_subcommand("serve").unwrap();
    let config = Config::usual().unwrap().to_toml();
    let config: toml::Table = config.parse().unwrap();
    for option in serve.get_arguments() {
        let name = option.get_long().filter(|name| *name != "help" && !option.is_hide_set());
        let Some(name) = name else {
            continue;
        };
        let variable = format!("PARLOR_{}", name.to_uppercase().replace('-', "_"));
        assert_eq!(option.get_env(), Some(variable.as_ref()));
        if name == "config" {
            continue; // described above the table
        }
        let row = page.lines().find(|line| line.starts_with(&format!("| `--{name}` |")));
        let row = row.unwrap_or_else(|| panic!("--{name} is not in the table"));
        let default = row.split('|').nth(2).unwrap().trim().trim_matches('`');
        match config.get(name) {
            Some(toml::Value::Boolean(on)) => {
                assert_eq!(default, if *on { "on" } else { "off" }, "--{name}");
            }
            Some(toml::Value::Array(all)) => {
                let all = all.iter().filter_map(toml::Value::as_str);
                assert_eq!(default, all.collect::<Vec<_>>().join("`, `"), "--{name}");
            }
            Some(toml::Value::String(value)) => assert_eq!(default, value, "--{name}"),
            Some(value) => assert_eq!(default, value.to_string(), "--{name}"),
            None => assert!(!default.is_empty(), "--{name}"),
        }
    }
}

#[test]
fn every_command_is_on_the_page_of_the_line_protocol() {
    let page = text("docs/line-protocol.md");
    for spec in COMMANDS {
        let form = format!("/{} {}", spec.name, spec.arguments);
        let row = format!("| `{}`", form.trim_end());
        let row = page
            .lines()
            .find(|line| line.starts_with(&format!("{row}`")) || line.starts_with(&row));
        let row = row.unwrap_or_else(|| panic!("{form} has no row"));
        for alias in spec.aliases {
            assert!(row.contains(&format!("`/{alias}`")), "{row}: /{alias}");
        }
    }
    let rows = page.lines().filter(|line| line.starts_with("| `/"));
    assert_eq!(rows.count(), COMMANDS.len());
    for (page, text) in with_extension("md") {
        for typed in between(&text, "`/", '`') {
            let name = typed.split(' ').next().unwrap_or_default();
            let is_known =
                COMMANDS.iter().any(|spec| spec.name == name || spec.aliases.contains(&name));
            // A slash alone is no command, nor is a word with two of them.
            let is_said =
                name.is_empty() || typed.starts_with('/') || text.contains(&format!("`//{name}`"));
            // IRC clients have commands of their own, and addresses at the web door are none.
            let is_for_client = page.ends_with("irc.md");
            let is_address =
                typed.starts_with("-/") || ["lobby", "metrics", "ROOM"].contains(&typed);
            assert!(
                is_known || is_said || is_for_client || is_address,
                "{}: /{typed}",
                page.display()
            );
        }
    }
}

/// The words of the line dialect for an answer in named mode.
fn words(answer: &Answer) -> String {
    let clock = LocalClock { zone: jiff::tz::TimeZone::UTC, now: Default::default };
    let mut bytes = Vec::new();
    LineEncoder::new(LineMode::Named, Storage::Memory, clock).answer(answer, &mut bytes);
    String::from_utf8(bytes).unwrap().trim_end().to_owned()
}

fn refused(typed: &str) -> Refusal {
    ChatCommand::parse(typed).unwrap_err().into()
}

#[test]
fn the_sentences_on_the_page_are_those_that_the_server_says() {
    let page = unwrapped("docs/line-protocol.md");
    let line = |text: &str| Line::sanitise(text.as_bytes());
    let bob = Name::parse("bob").unwrap();
    let minutes = Duration::from_mins;
    let damaged = |first, last, flaw| {
        let room = RoomName::parse("lobby").unwrap();
        Answer::Notice(Notice::Damaged(Damage { room, first, last, flaw }))
    };
    let act = |verb, time, text: Option<&str>| {
        let deed = Deed { time, text: text.map(line), ..Deed::to(verb, Whom::Name(bob.clone())) };
        Act {
            deed,
            by: By::Keeper(Author::owner(Name::parse("alice").unwrap())),
            reach: Reach::Room(RoomName::parse("tea").unwrap()),
            at: WallTime(0),
        }
    };
    let hours = Some(Duration::from_hours(14));
    let (ban, mute) = (act(Verb::Ban, hours, Some("too loud")), act(Verb::Mute, hours, None));
    let removal = Arc::new(act(Verb::Kick, None, Some("too loud")));
    let missed = COMMANDS.iter().find(|spec| spec.name == "missed").unwrap();
    for answer in [
        Answer::Refused(refused("foo")),
        Answer::Refused(refused("whoo")),
        Answer::Refused(refused("msg")),
        Answer::Refused(Refusal::NeedsDisk(missed)),
        Answer::Refused(Refusal::NobodyCalled(line("zoe"))),
        Answer::Refused(Refusal::NameTaken(bob.clone())),
        Answer::Refused(Refusal::NoRoom(RoomName::parse("den").unwrap())),
        Answer::Refused(Refusal::NotReading(bob.clone())),
        Answer::Refused(Refusal::TooLong(LineMode::Named.line_bytes_max())),
        Answer::Refused(Refusal::TooManyRooms(Config::usual().unwrap().rooms)),
        Answer::Refused(Refusal::NothingToFind),
        Answer::SearchBehind(1_234),
        Answer::FoundNothing(line("WORDS")),
        Answer::FoundMore { lines: 123, is_all: true },
        Answer::FoundMore { lines: 0, is_all: false },
        Answer::Notice(Notice::Skipped(skipped(128))),
        damaged(5, 5, Flaw::Changed),
        damaged(5, 9, Flaw::Missing),
        damaged(5, 9, Flaw::NotYet),
        Answer::Notice(Notice::Idle { silent: minutes(4), left: minutes(1) }),
        Answer::Notice(Notice::IdleClosed(minutes(5))),
        Answer::Notice(Notice::GoingDown),
        Answer::YouAre(Name::parse("al").unwrap()),
        Answer::Refused(Refusal::NotKeeper),
        Answer::Refused(Refusal::Banned(Box::new(ban))),
        Answer::Refused(Refusal::Muted(Box::new(mute))),
        Answer::Notice(Notice::Act(removal)),
    ] {
        let sentence = words(&answer);
        assert!(page.contains(&sentence), "{sentence}");
    }
    let people = Together {
        named: vec![Name::parse("bob").unwrap(), Name::parse("carol").unwrap()],
        others: 980,
    };
    assert!(page.contains(&format!("In lobby: bob, carol and {} others", people.others)));
    // The sentences for a person who has not entered are beside the door.
    let door = ["src/door/lines/mod.rs", "src/door/lines/prompt.rs", "crates/wire/src/lines.rs"];
    let door = door.map(text).concat();
    for sentence in [
        "-- No name given: closed",
        "-- Too many people are at the name prompt: closed; connect again and answer sooner",
        "-- This port speaks lines of text",
        "What is your name? (Enter to stay ",
        "-- The server is going down",
    ] {
        assert!(door.contains(sentence), "{sentence}");
        assert!(page.contains(sentence), "{sentence}");
    }
}

#[test]
fn the_page_on_history_says_what_the_server_says() {
    let page = unwrapped("docs/history.md");
    let alice = Name::parse("alice").unwrap();
    for answer in [
        Answer::SearchBehind(1_234),
        Answer::FoundMore { lines: 123, is_all: true },
        Answer::CanDelete(alice),
        Answer::Deleted(1_234),
        Answer::Refused(Refusal::NotAllDeleted),
        Answer::Refused(Refusal::Deleting),
        Answer::Notice(Notice::Skipped(skipped(128))),
    ] {
        let sentence = words(&answer);
        let (sentence, _) = sentence.split_once(':').unwrap_or((&sentence, ""));
        assert!(page.contains(sentence), "{sentence}");
    }
}

/// A number with commas, as people write it.
fn with_commas(number: usize) -> String {
    let digits = number.to_string();
    let groups = digits.as_bytes().rchunks(3).rev();
    let groups: Vec<_> = groups.map(|group| str::from_utf8(group).unwrap()).collect();
    groups.join(",")
}

#[test]
fn the_limits_on_the_page_are_those_of_the_code() {
    let page = unwrapped("docs/line-protocol.md");
    let config = Config::usual().unwrap();
    for limit in [
        format!("at most {} bytes", with_commas(LineMode::Named.line_bytes_max())),
        format!("may have {} bytes", with_commas(LineMode::Classic.line_bytes_max())),
        format!("1 to {NAME_CHARS_MAX} characters"),
        format!("{WHO_MAX} people at most"),
        format!("{ROOMS_MAX} at most"),
        format!("{ITEMS_MAX} answers and private messages"),
        format!("{} KiB of them", BYTES_MAX / 1024),
        format!("{} lines or 4 MiB", with_commas(config.log_lines)),
        format!("{} rooms (`--rooms`)", with_commas(config.rooms)),
        format!("{} connections from one address", config.connections_per_address),
        format!("the last {} lines said before", config.replay),
    ] {
        assert!(page.contains(&limit), "{limit}");
    }
}

/// The source files that define a function of this name.
fn definitions(function: &str) -> Vec<String> {
    let definition = format!("fn {function}(");
    let sources = with_extension("rs").into_iter();
    let is_source = |path: &Path| path.iter().any(|part| part == "src");
    sources
        .filter(|(path, text)| is_source(path) && text.contains(&definition))
        .map(|(path, _)| path.display().to_string())
        .collect()
}

#[test]
fn the_steps_of_a_message_are_where_the_page_says() {
    let page = text("ARCHITECTURE.md");
    let steps: Vec<_> =
        page.lines().filter(|line| line.starts_with("| ") && line.contains(" | **")).collect();
    assert_eq!(steps.len(), 12);
    for step in steps {
        let cells: Vec<_> = step.split(" | ").collect();
        let file = between(step, "](", ')').next().unwrap();
        for function in code(cells[2]) {
            assert_eq!(definitions(function), [file], "{function}");
        }
    }
}

#[test]
fn every_file_that_the_page_names_exists() {
    let (page, files) = (text("ARCHITECTURE.md"), files());
    let words = page.split(|c: char| c.is_whitespace() || "[]();:,|`".contains(c));
    for word in words {
        let word = word.trim_end_matches('.');
        if word.starts_with("src/") || word.starts_with("crates/") {
            assert!(root().join(word).exists(), "{word}");
        } else if word.ends_with(".rs") {
            assert!(files.iter().any(|file| file.ends_with(word)), "{word}");
        }
    }
}

#[test]
fn the_exercises_of_the_book_are_solved_where_the_page_says() {
    let page = text("docs/from-the-book.md");
    let exercises: Vec<_> = page.lines().filter(|line| line.starts_with("| 8.")).collect();
    assert_eq!(exercises.len(), 4);
    for exercise in exercises {
        let cells: Vec<_> = exercise.split(" | ").collect();
        let files: Vec<_> = between(cells[3], "](../", ')').collect();
        for function in code(cells[2]) {
            let places = definitions(function);
            assert_eq!(places.len(), 1, "{function}: {places:?}");
            assert!(files.contains(&places[0].as_str()), "{function}: {places:?}");
        }
    }
}

#[test]
fn every_promise_names_tests_that_exist() {
    let sources: String = with_extension("rs").into_iter().map(|(_, text)| text).collect();
    let promises = text("docs/promises.md");
    let rows = promises
        .lines()
        .filter(|line| line.starts_with("| **"))
        .map(|row| row.split(" | ").nth(2).unwrap());
    for tests in rows {
        let mut names = code(tests).peekable();
        assert!(names.peek().is_some(), "no test: {tests}");
        for name in names {
            assert!(sources.contains(&format!("fn {name}(")), "{name}");
        }
    }
}

fn parlor(words: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_parlor"));
    command.args(words).current_dir(root()).env_clear();
    let output = command.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_configuration_for_a_service_is_accepted() {
    let config = parlor(&["config", "--config", "packaging/parlor.toml"]);
    assert!(config.contains("tcp://localhost:8000"), "{config}");
}

#[test]
fn the_files_of_a_release_are_called_as_the_pages_say() {
    let version = env!("CARGO_PKG_VERSION");
    let package = format!("/parlor_{version}-1_amd64.deb");
    assert!(text("README.md").contains(&package), "{package}");
    let operating = text("docs/operating.md");
    let tarball = format!("tar -xf parlor-{version}-x86_64-unknown-linux-gnu.tar.gz");
    let container = format!("tar -xf parlor-{version}-container.tar.gz");
    for name in [package, tarball, container] {
        assert!(operating.contains(&name), "{name}");
    }
    let first = format!("parlor ({version}-1) ");
    assert!(text("packaging/debian/changelog").starts_with(&first), "{first}");
}

#[test]
fn the_unit_file_starts_the_server_with_options_that_exist() {
    let unit = text("packaging/parlor.service");
    let start = between(&unit, "ExecStart=", '\n').next().unwrap();
    let start = start.replace("/etc/parlor.toml", "packaging/parlor.toml");
    let mut words = start.split(' ').skip(1);
    assert_eq!(words.next(), Some("serve"));
    let words: Vec<_> = ["config"].into_iter().chain(words).collect();
    parlor(&words);
}

/// Parlor can be built on any machine, with any registry, so no file names one.
#[test]
fn no_file_names_a_place_of_one_machine_or_the_host_of_a_registry() {
    let unwanted = [
        ["/wo", "rk/"],
        ["/tmp/", "wt"],
        ["/ho", "me/"],
        ["/ro", "ot/"],
        ["crates", ".io"],
        ["static.", "crates"],
        ["npm", "js"],
        ["pypi", ".org"],
        ["docker", ".io"],
    ]
    .map(|parts| parts.concat());
    for path in files() {
        let Ok(text) = fs::read_to_string(root().join(&path)) else {
            continue; // not text
        };
        for word in &unwanted {
            assert!(!text.contains(word), "{}: {word}", path.display());
        }
    }
}

fn skipped(lines: u64) -> Missed {
    Missed::between(&RoomName::lobby(), 0, lines)
}

/// Phrases that are not plain English, in texts, comments and names of tests alike.
const NOT_PLAIN: [&str; 38] = [
    "whoever",
    "whomever",
    "whosoever",
    "so many",
    "is no more",
    "none where",
    "has somebody",
    "again and again",
    "taken back",
    "takes back",
    "take back what",
    "in peace",
    "in anybody's way",
    "in the house",
    "of the house",
    "in vain",
    "be it only",
    "counts for nothing",
    "exactly so.",
    "for saying no",
    "given back in",
    "giving way",
    "holds up nobody",
    "is asked of every",
    "nobody's silence",
    "nothing of it is said",
    "one's own",
    "as said above",
    "reads anything of",
    "sign of life",
    "signs of life",
    "stands inline",
    "takings",
    "errand",
    "to be had",
    "told from noise",
    "very much is said",
    "who stand still",
];

/// Phrases that the code may use, and people never read.
const NOT_FOR_PEOPLE: [&str; 2] = ["has an owner", "is yours:"];

/// The texts that people read, each with its place; code between backticks is left out.
fn texts_for_people() -> Vec<(String, String)> {
    let pages = with_extension("md").into_iter();
    let pages = pages.map(|(path, text)| (path.display().to_string(), text));
    let packaging = ["packaging/parlor.toml", "packaging/parlor.service"];
    let packaging = packaging.map(|path| (path.to_owned(), text(path)));
    let wording = [
        "crates/wire/src/words/act.rs",
        "crates/wire/src/words/answer.rs",
        "crates/wire/src/words/event.rs",
        "crates/wire/src/words/help.rs",
        "crates/wire/src/words/refusal.rs",
        "crates/core/src/model/name/error.rs",
        "src/door/web/router.rs",
        "src/door/web/credentials.rs",
        "src/door/web/speak.rs",
        "src/door/web/follow.rs",
        "src/operator/command.rs",
        "src/operator/mod.rs",
        "src/operator/words.rs",
        "src/door/admin/conversation.rs",
        "src/cli/admin.rs",
    ];
    let wording = wording.map(|path| {
        let text = text(path);
        let code = text.lines().filter(|line| !line.trim().starts_with("//"));
        (path.to_owned(), code.collect::<Vec<_>>().join("\n"))
    });
    let commands =
        COMMANDS.iter().map(|spec| (format!("/{}", spec.name), [spec.does, spec.more].join(" ")));
    let mut command = parlor::cli::command();
    command.build();
    let help = command.get_subcommands_mut().map(|part| {
        let name = format!("parlor {} --help", part.get_name());
        (name, part.render_long_help().to_string())
    });
    pages.chain(packaging).chain(wording).chain(commands).chain(help).collect()
}

/// The comments of a file, and the names of its tests. Lines that follow each other are one comment.
fn comments(path: &Path, text: &str) -> Vec<String> {
    let (marks, trailing): (&[&str], _) = match path.extension().and_then(|end| end.to_str()) {
        Some("rs") => (&["//"], " // "),
        Some("js") => (&["//", "/*", "*"], " // "),
        Some("css") => (&["/*", "*"], " /* "),
        Some("html") => (&["<!--"], " <!-- "),
        _ => (&["#"], " # "),
    };
    let mut comments = vec![String::new()];
    let mut is_test = false;
    for line in text.lines().map(str::trim) {
        let is_attribute = line.starts_with("#[");
        let begun = marks.iter().find_map(|mark| line.strip_prefix(mark));
        if let Some(words) = begun.filter(|_| !is_attribute) {
            let words = words.trim_matches(['/', '!', '*', '-', '>', ' ']);
            match (words, comments.last_mut()) {
                ("", _) | (_, None) => comments.push(String::new()),
                (words, Some(comment)) => comment.extend([words, " "]),
            }
            continue;
        }
        let name = line.split_once("fn ").and_then(|(_, rest)| rest.split_once('('));
        match name {
            Some((name, _)) if is_test => comments.push(name.replace('_', " ")),
            _ => comments.extend(line.split_once(trailing).map(|(_, words)| words.to_owned())),
        }
        is_test = if is_attribute { is_test || line.contains("test") } else { false };
        comments.push(String::new());
    }
    comments
}

/// The comments of all files, each with its place.
fn all_comments() -> impl Iterator<Item = (String, String)> {
    let kinds = ["rs", "js", "css", "html", "sh", "toml", "service"];
    let files = kinds.into_iter().flat_map(with_extension);
    let scripts = ["test", ".ci/run"].map(|path| (PathBuf::from(path), text(path)));
    files.chain(scripts).flat_map(|(path, text)| {
        let place = path.display().to_string();
        comments(&path, &text).into_iter().map(move |comment| (place.clone(), comment))
    })
}

/// A text in lower case, without code and line ends.
fn prose(text: &str) -> String {
    let prose: Vec<_> = text.split('`').step_by(2).collect();
    let prose = prose.join(" ").to_lowercase();
    prose.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Whether a text has a phrase between other words.
fn has_phrase(prose: &str, phrase: &str) -> bool {
    prose.match_indices(phrase).any(|(at, _)| {
        let (before, after) = (&prose[..at], &prose[at + phrase.len()..]);
        !before.ends_with(char::is_alphabetic) && !after.starts_with(char::is_alphabetic)
    })
}

#[test]
fn texts_comments_and_test_names_are_plain_english() {
    let mut found = Vec::new();
    let mut check = |place: &str, prose: &str, phrases: &[&str]| {
        let phrases = phrases.iter().filter(|phrase| has_phrase(prose, phrase));
        found.extend(phrases.map(|phrase| format!("{place}: {phrase}")));
    };
    for (place, text) in texts_for_people() {
        let prose = prose(&text);
        check(&place, &prose, &NOT_PLAIN);
        check(&place, &prose, &NOT_FOR_PEOPLE);
    }
    let mut without_noun = Vec::new();
    for (place, comment) in all_comments() {
        let prose = prose(&comment);
        check(&place, &prose, &NOT_PLAIN);
        // A comment begins with a noun or a verb, unless it asks.
        let begins = ["what ", "who ", "whom "].iter().any(|word| prose.starts_with(word));
        if begins && !prose.contains('?') {
            without_noun.push(format!("{place}: {prose}"));
        }
    }
    assert!(found.is_empty(), "{found:#?}");
    assert!(without_noun.is_empty(), "begin with the noun: {without_noun:#?}");
}

#[test]
fn comments_and_names_of_tests_are_found() {
    let source =
        "/// What it\n/// does.\n///\n/// More.\nlet a = 1; // why\n#[test]\nfn it_holds() {}\n";
    let found: Vec<_> =
        comments(Path::new("a.rs"), source).iter().map(|text| prose(text)).collect();
    let found: Vec<_> = found.iter().filter(|text| !text.is_empty()).collect();
    assert_eq!(found, ["what it does.", "more.", "why", "it holds"]);
    assert!(has_phrase("to be had.", "to be had") && !has_phrase("wherrands", "errand"));
}

/// The code spans that may be a reason.
fn reasons(text: &str) -> BTreeSet<String> {
    let words = text.split('`').skip(1).step_by(2);
    let is_reason = |word: &&str| {
        word.contains(|c: char| c.is_ascii_lowercase())
            && word.chars().all(|c| c.is_ascii_lowercase() || c == '-')
    };
    words.filter(is_reason).map(str::to_owned).collect()
}

#[test]
fn every_reason_of_a_refusal_is_on_the_page_of_the_web_protocol_and_no_other() {
    let code = text("crates/wire/src/words/refusal.rs");
    let (_, table) = code.split_once("match refusal {").unwrap();
    let (table, rules) = table.split_once("match error {").unwrap();
    let (rules, _) = rules.split_once("\n    }").unwrap();
    let rows = table.matches("Refusal::").count();
    let codes: Vec<_> = between(table, "row(\"", '"').collect();
    assert_eq!(codes.len(), rows, "each row has a reason");
    for row in table.split("Refusal::") {
        // For the operator, the first letter of other sentences becomes a small one.
        assert_eq!(row.contains("format!(\"{"), row.contains(").named()"), "{row}");
    }
    let codes = codes.into_iter().chain(between(rules, "=> \"", '"'));
    let codes: BTreeSet<_> = codes.map(str::to_owned).collect();
    let page = text("docs/web-protocol.md");
    let (_, table) = page.split_once("## Refusals").unwrap();
    let (_, table) = table.split_once("|---|---|").unwrap();
    let on_the_page: BTreeSet<_> =
        table.lines().filter_map(|row| row.split('|').nth(1)).flat_map(reasons).collect();
    assert_eq!(on_the_page, codes);
    let chinese = text("src/door/web/page/zh.js");
    for reason in codes {
        let key = format!("\t'{reason}': ");
        let bare = format!("\t{reason}: ");
        assert!(chinese.contains(&key) || chinese.contains(&bare), "{reason}");
    }
}

#[test]
fn every_answer_has_its_word_on_the_page_of_the_web_protocol_and_in_chinese() {
    let code = text("crates/wire/src/web/answer.rs");
    let page = text("docs/web-protocol.md");
    let chinese = text("src/door/web/page/zh.js");
    let words: BTreeSet<_> = between(&code, "about(\"", '"').collect();
    assert!(words.len() > 15, "{words:?}");
    for word in words {
        assert!(page.contains(&format!("`{word}`")), "{word}");
        // For acts, the page shows the server's sentence; a muted person reads the reason by its
        // code.
        let is_said =
            chinese.contains(&format!("{word}': (")) || chinese.contains(&format!("\t{word}: ("));
        assert!(is_said || ["order", "silent"].contains(&word), "{word}");
    }
}

#[test]
fn every_text_of_the_page_is_in_both_languages() {
    let keys = |path: &str| -> BTreeSet<String> {
        let text = text(path);
        let (_, table) = text.split_once("words = {\n").unwrap();
        let (table, _) = table.split_once("\n}").unwrap();
        let rows = table.lines().filter_map(|row| row.trim().split_once(": "));
        rows.map(|(key, _)| key.trim_matches('\'').to_owned()).collect()
    };
    let english = keys("src/door/web/page/words.js");
    assert!(english.len() > 40);
    assert_eq!(english, keys("src/door/web/page/zh.js"));
}
