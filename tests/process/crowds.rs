//! Thousands of people who come and go at once.

use std::thread;

use crate::guest::{Guest, Traffic, talk};
use crate::server::Server;
use crate::{affordable, many_descriptors};

#[test]
fn two_thousand_people_come_and_go_and_each_is_counted_once() {
    let _turn = many_descriptors();
    let storm_size = affordable(2_000);
    let server = Server::open(&["--rate", "off"]);
    let mut alice = Guest::enter(server.address, "alice");
    let mut bob = Guest::enter(server.address, "bob");
    let mut watcher = Guest::enter(server.address, "watcher");

    thread::scope(|scope| {
        let talking = scope.spawn(|| talk(&mut alice, &mut bob, "in the storm", 200));
        let watching = scope.spawn(|| {
            let mut hellos = vec![0; storm_size];
            let mut traffic = Traffic::default();
            watcher.lines_until("the last of the storm", |line| {
                if let Some((_, number)) = line.split_once(": hello from ") {
                    hellos[number.parse::<usize>().unwrap()] += 1;
                }
                traffic.count(line);
                traffic.gone == storm_size
            });
            assert_eq!(traffic.come, storm_size);
            assert!(hellos.iter().all(|said| *said == 1));
        });
        let mut storm: Vec<_> = (0..storm_size).map(|_| Guest::connect(server.address)).collect();
        for (number, guest) in storm.iter_mut().enumerate() {
            guest.send(format!("s{number}\nhello from {number}\n").as_bytes());
            guest.end_input();
        }
        for guest in storm {
            guest.rest_or_reset();
        }
        talking.join().unwrap();
        watching.join().unwrap();
    });
    alice.until_people_here(3);
    server.close((alice, bob, watcher));
}

#[test]
fn a_storm_of_broken_connections_leaves_nobody_behind() {
    let _turn = many_descriptors();
    let server = Server::open(&["--rate", "off"]);
    let mut alice = Guest::enter(server.address, "alice");
    let mut bob = Guest::enter(server.address, "bob");
    for wave in 0..4 {
        let storm = (0..affordable(500)).map(|number| {
            let mut guest = Guest::connect(server.address);
            guest.send(format!("s{wave}x{number}\nhello\n").as_bytes());
            guest
        });
        let storm: Vec<_> = storm.collect();
        talk(&mut alice, &mut bob, &format!("wave {wave}"), 10);
        storm.into_iter().for_each(Guest::reset);
    }
    talk(&mut alice, &mut bob, "after the storm", 10);
    alice.until_people_here(2);
    server.close((alice, bob));
}
