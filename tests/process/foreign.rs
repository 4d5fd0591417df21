//! Clients by other authors, run by Python: a browser, and a WebSocket library. Their scenes are in
//! tests/foreign.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use crate::skip;
use crate::turns::Turns;

/// A scene takes seconds; one that hangs is ended after this time.
const SCENE_TIME: Duration = Duration::from_mins(15);

/// How often to check whether a scene has ended.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Runs one scene of a script to its end.
fn play(script: &str, scene: &str, needed: &[&str]) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let python = env::var_os("FOREIGN_PYTHON")
        .map_or_else(|| root.join("target/foreign-venv/bin/python"), PathBuf::from);
    if let Some(missing) = [python.as_path()]
        .into_iter()
        .chain(needed.iter().map(Path::new))
        .find(|path| !path.exists())
    {
        skip(&format!("{} is missing: ./test installs it", missing.display()));
        return;
    }
    let pictures = root.join("target/pictures");
    fs::create_dir_all(&pictures).unwrap();
    let child = Command::new(python)
        .arg(root.join("tests/foreign").join(script))
        .args([scene, env!("CARGO_BIN_EXE_parlor")])
        .arg(&pictures)
        .env_remove("PARLOR_CONFIG")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    end(child, scene);
}

fn end(mut child: Child, scene: &str) {
    let (mut stdout, mut stderr) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
    let words = thread::spawn(move || {
        let mut words = String::new();
        stderr.read_to_string(&mut words).ok();
        stdout.read_to_string(&mut words).ok();
        words
    });
    let deadline = Instant::now() + SCENE_TIME;
    let status = loop {
        match child.try_wait().unwrap() {
            Some(status) => break Some(status),
            None if Instant::now() > deadline => {
                child.kill().unwrap();
                child.wait().unwrap();
                break None;
            }
            None => thread::sleep(LOOK_EVERY),
        }
    };
    let words = words.join().unwrap();
    assert!(status.is_some_and(|status| status.success()), "{scene}: {words}");
}

/// The open browsers. Each step of a scene has a limit.
static BROWSERS: Turns = Turns::new();

fn browse(scene: &str) {
    let _turn = BROWSERS.wait();
    play("browser.py", scene, &["/usr/bin/chromium"]);
}

#[test]
fn two_browsers_and_a_netcat_read_the_same_lines_in_the_same_order() {
    browse("one_room");
}

#[test]
fn two_browsers_talk_over_tls_with_a_netcat() {
    browse("over_tls");
}

#[test]
fn a_browser_reconnects_after_a_restart_and_no_line_is_lost_or_doubled() {
    browse("comes_back");
}

#[test]
fn a_browser_lists_the_right_people_at_every_moment() {
    browse("lists_people");
}

#[test]
fn an_enter_that_ends_a_composition_sends_nothing() {
    browse("composes");
}

#[test]
fn hostile_lines_and_names_stay_text_in_a_browser() {
    browse("hostile");
}

#[test]
fn a_page_of_another_site_cannot_read_speak_or_enter() {
    browse("foreign_page");
}

#[test]
fn a_phone_shows_the_page_without_sideways_scrolling_in_both_languages() {
    browse("narrow");
}

#[test]
fn rooms_and_lines_are_chosen_from_lists_in_a_browser() {
    browse("finds");
}

#[test]
fn private_conversations_survive_a_reload() {
    browse("talks");
}

#[test]
fn a_browser_reload_announces_no_departure_and_loses_no_draft() {
    browse("reloads");
}

#[test]
fn lines_that_an_owner_has_read_in_one_browser_are_not_new_in_another() {
    browse("reads_elsewhere");
}

#[test]
fn a_person_without_a_room_joins_another_one_in_a_browser() {
    browse("leaves_all_rooms");
}

#[test]
fn every_line_of_a_long_room_can_be_reached_in_a_browser() {
    browse("scrolls_back");
}

#[test]
fn a_browser_can_be_used_with_the_keyboard_alone() {
    browse("by_keys");
}

#[test]
fn people_in_a_room_have_different_colours_in_a_browser() {
    browse("distinct");
}

#[test]
fn unsent_lines_return_to_the_field_in_order_in_a_browser() {
    browse("gives_back");
}

#[test]
fn a_person_removed_in_a_browser_reads_the_reason() {
    browse("removed");
}

#[test]
fn a_browser_asks_for_the_password_of_a_room_until_it_is_right() {
    browse("closed_rooms");
}

#[test]
fn a_person_who_is_away_sees_that_in_a_browser() {
    browse("goes_away");
}

#[test]
fn fifty_sockets_of_another_library_and_a_netcat_see_the_same_order() {
    play("sockets.py", "one_order", &[]);
}

#[test]
fn a_client_of_another_library_continues_after_a_cut_and_a_restart() {
    play("sockets.py", "goes_on", &[]);
}

#[test]
fn another_library_and_this_server_agree_on_frames() {
    play("sockets.py", "frames", &[]);
}
