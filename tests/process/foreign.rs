//! Clients that others wrote, run by Python: a browser, and a library for WebSockets. What they do is in tests/foreign.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use crate::skip;

/// A scene takes seconds; one that hangs ends after this.
const SCENE_TIME: Duration = Duration::from_mins(3);

/// So often it is asked whether a scene has ended.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Runs one scene of a script to its end.
fn play(script: &str, scene: &str, needed: &[&str]) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let python = env::var_os("FOREIGN_PYTHON").map_or_else(
        || root.join("target/foreign-venv/bin/python"),
        PathBuf::from,
    );
    if let Some(missing) = [python.as_path()]
        .into_iter()
        .chain(needed.iter().map(Path::new))
        .find(|path| !path.exists())
    {
        skip(&format!(
            "{} is missing: ./test installs it",
            missing.display()
        ));
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
    assert!(
        status.is_some_and(|status| status.success()),
        "{scene}: {words}"
    );
}

fn browse(scene: &str) {
    play("browser.py", scene, &["/usr/bin/chromium"]);
}

#[test]
fn two_browsers_and_a_netcat_read_one_room_in_one_order() {
    browse("one_room");
}

#[test]
fn a_browser_comes_back_after_a_restart_and_nothing_is_lost_or_doubled() {
    browse("comes_back");
}

#[test]
fn a_browser_lists_the_right_people_at_every_moment() {
    browse("lists_people");
}

#[test]
fn an_enter_that_ends_a_composition_says_nothing() {
    browse("composes");
}

#[test]
fn whatever_people_say_or_are_called_is_text_in_a_browser() {
    browse("hostile");
}

#[test]
fn a_page_of_another_site_cannot_read_speak_or_come_in() {
    browse("foreign_page");
}

#[test]
fn a_phone_shows_it_without_scrolling_sideways_in_both_languages() {
    browse("narrow");
}

#[test]
fn rooms_and_lines_are_chosen_from_lists_in_a_browser() {
    browse("finds");
}

#[test]
fn private_messages_are_conversations_that_outlive_a_reload() {
    browse("talks");
}

#[test]
fn a_reload_in_a_browser_is_no_departure_and_loses_no_draft() {
    browse("reloads");
}

#[test]
fn every_line_of_a_long_room_can_be_reached_in_a_browser() {
    browse("scrolls_back");
}

#[test]
fn a_browser_is_used_by_keys_alone() {
    browse("by_keys");
}

#[test]
fn those_who_are_here_have_different_colours_in_a_browser() {
    browse("distinct");
}

#[test]
fn what_was_on_its_way_comes_back_in_its_order_in_a_browser() {
    browse("gives_back");
}

#[test]
fn whoever_is_removed_in_a_browser_reads_why() {
    browse("removed");
}

#[test]
fn fifty_sockets_of_another_library_and_a_netcat_see_one_order() {
    play("sockets.py", "one_order", &[]);
}

#[test]
fn a_client_of_another_library_goes_on_over_a_cut_and_a_restart() {
    play("sockets.py", "goes_on", &[]);
}

#[test]
fn another_library_and_this_server_agree_on_frames() {
    play("sockets.py", "frames", &[]);
}
