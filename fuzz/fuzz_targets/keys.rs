//! Runs the body with the same name.
#![no_main]

#[expect(dead_code, reason = "each target runs one of the bodies")]
#[path = "../../crates/wire/tests/fuzz_bodies/mod.rs"]
mod fuzz_bodies;

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz_bodies::keys::run(data));
