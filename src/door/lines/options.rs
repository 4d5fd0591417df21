//! The options in the URL of a line door. Opens nothing.

use std::time::Duration;

use crate::config::{InvalidValue, duration, idle, yes_or_no};
use crate::door::opening::{DoorOption, UrlOptions};
use crate::session::Idle;

/// The options, in the order of help.
pub(in crate::door) const OPTIONS: &[DoorOption] = &[CLASSIC, IDLE, NAMES];

const CLASSIC: DoorOption =
    DoorOption { form: "classic", about: "the book's protocol: no names, no commands, no history" };

const IDLE: DoorOption = DoorOption {
    form: "idle=5m|0",
    about: "how long everybody may be silent [default: 5m for people without a name, classic 0]",
};

const NAMES: DoorOption = DoorOption {
    form: "names=ask|address",
    about: "how people get a name on arrival [default: ask]",
};

/// The options of a URL, parsed.
pub(super) struct LineOptions {
    /// Whether it speaks the book's protocol.
    pub(super) is_classic: bool,
    /// Whether the door asks for a name. Otherwise the address is the name.
    pub(super) asks: bool,
    /// The limit of silence, if the URL gives one.
    idle: Option<Idle>,
}

impl LineOptions {
    pub(super) fn read(options: &UrlOptions) -> Result<LineOptions, InvalidValue> {
        let classic = options.one(&CLASSIC, |text| Ok(text.is_empty() || yes_or_no(text)?))?;
        let idle =
            options.one(&IDLE, |text| Ok(idle(text)?.map_or(Idle::Nobody, Idle::Everybody)))?;
        let asks = options.one(&NAMES, |text| match text {
            "ask" => Ok(true),
            "address" => Ok(false),
            _ => Err(InvalidValue::new(format!("names is {text:?}; write ask or address"))),
        })?;
        let is_classic = classic.unwrap_or(false);
        if is_classic && asks == Some(true) {
            return Err(InvalidValue::new("classic has no names; leave out names=ask or classic"));
        }
        Ok(LineOptions { is_classic, asks: asks.unwrap_or(!is_classic), idle })
    }

    /// The options in one form: only those that differ from the default.
    pub(super) fn tidy(&self) -> Vec<String> {
        let mode = match (self.is_classic, self.asks) {
            (true, _) => Some("classic".to_owned()),
            (false, false) => Some("names=address".to_owned()),
            (false, true) => None,
        };
        let idle = match self.idle {
            Some(Idle::Everybody(time)) => Some(format!("idle={}", duration(time))),
            Some(_) if !self.is_classic => Some("idle=0".to_owned()),
            _ => None,
        };
        mode.into_iter().chain(idle).collect()
    }

    /// The limit of silence. The book's protocol has none, because a later exercise adds it. People
    /// with a name may read without an end: keepalive finds dead connections.
    pub(super) fn idle(&self, nameless: Duration) -> Idle {
        let usual = match self.is_classic {
            true => Idle::Nobody,
            false => Idle::Nameless(nameless),
        };
        self.idle.unwrap_or(usual)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed step fails the test")]
mod tests {
    use super::*;

    fn idle(words: &[&str]) -> Idle {
        let words: Vec<_> = words.iter().map(ToString::to_string).collect();
        let options = UrlOptions::read("tcp", &[OPTIONS], &words).unwrap();
        let nameless = Duration::from_mins(5);
        LineOptions::read(&options).unwrap().idle(nameless)
    }

    #[test]
    fn people_without_a_name_may_be_silent_for_five_minutes_but_in_classic_mode_for_ever() {
        assert_eq!(idle(&[]), Idle::Nameless(Duration::from_mins(5)));
        assert_eq!(idle(&["classic"]), Idle::Nobody);
        let two_seconds = Idle::Everybody(Duration::from_secs(2));
        assert_eq!(idle(&["classic", "idle=2s"]), two_seconds);
        assert_eq!(idle(&["idle=0"]), Idle::Nobody);
    }
}
