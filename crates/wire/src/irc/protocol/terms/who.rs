//! The targets of a WHO: channels, nicks and masks. Knows no person.

use super::glob::Glob;

/// The largest number of targets of one WHO.
pub(crate) const WHO_TARGETS_MAX: usize = 10;

/// The fields that a mask is compared with if a client chooses none: nick, user, host, server and
/// real name.
const USUAL_FIELDS: &str = "nuhsr";

/// All fields that a client can choose, with the address, which is not shown here, and the account.
const FIELDS: &str = "nuhsria";

/// The targets of a WHO, at most [`WHO_TARGETS_MAX`].
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct WhoTargets<'a> {
    /// The channels.
    pub(crate) channels: Vec<&'a str>,
    /// The nicks.
    pub(crate) nicks: Vec<&'a str>,
    /// The masks.
    pub(crate) masks: Vec<&'a str>,
    /// The first target that is too many.
    pub(crate) excess: Option<&'a str>,
}

impl<'a> WhoTargets<'a> {
    /// The targets in a parameter, with these options of the same WHO. What has no wildcard is a
    /// nick, unless the options choose another field.
    pub(crate) fn parse(parameter: &'a str, options: &str) -> WhoTargets<'a> {
        let chosen = chosen_fields(options);
        let mut targets = WhoTargets::default();
        for (index, target) in parameter.split(',').filter(|target| !target.is_empty()).enumerate()
        {
            if index == WHO_TARGETS_MAX {
                targets.excess = Some(target);
                break;
            }
            let is_mask =
                target.contains(['*', '?']) || target == "0" || chosen.chars().any(is_other);
            match target.starts_with('#') {
                true => targets.channels.push(target),
                false if is_mask => targets.masks.push(target),
                false => targets.nicks.push(target),
            }
        }
        targets
    }
}

/// Whether this is another field than the nick.
fn is_other(field: char) -> bool {
    field != 'n'
}

/// The fields that the options of a WHO choose: they stand before `%`, behind which are those that
/// the answer has.
fn chosen_fields(options: &str) -> String {
    let flags = options.split('%').next().unwrap_or_default();
    flags.chars().filter(|flag| FIELDS.contains(*flag)).collect()
}

/// The masks of a WHO, to be compared with people.
#[derive(Debug)]
pub(crate) struct WhoMasks {
    /// Each with whether it stands for a whole source.
    masks: Vec<(Glob, bool)>,
    fields: String,
}

impl WhoMasks {
    /// The masks in a parameter, with these options of the same WHO.
    pub(crate) fn parse(parameter: &str, options: &str) -> WhoMasks {
        let masks = WhoTargets::parse(parameter, options).masks.into_iter();
        let chosen = chosen_fields(options);
        let is_whole = |mask: &str| chosen.is_empty() && mask.contains(['!', '@']);
        let masks = masks.filter_map(|mask| {
            let all = if mask == "0" { "*" } else { mask }; // RFC 2812, section 3.6.1
            Some((Glob::new(all)?, is_whole(mask)))
        });
        let masks = masks.collect();
        let fields = if chosen.is_empty() { USUAL_FIELDS.to_owned() } else { chosen };
        WhoMasks { masks, fields }
    }

    /// Whether a mask stands for a person with this source, and with these values of fields.
    pub(crate) fn match_person(&self, source: &str, values: &[(char, &str)]) -> bool {
        let compared = |field: &char| self.fields.contains(*field);
        self.masks.iter().any(|(mask, is_whole)| match is_whole {
            true => mask.matches(source),
            false => {
                let mut values = values.iter().filter(|(field, _)| compared(field));
                values.any(|(_, value)| mask.matches(value))
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_channels_nicks_and_masks() {
        let targets = WhoTargets::parse("bob,#tea,c*,,0,x?", "%tn,4");
        assert_eq!(
            (targets.channels, targets.nicks, targets.masks, targets.excess),
            (vec!["#tea"], vec!["bob"], vec!["c*", "0", "x?"], None)
        );
        assert_eq!(WhoTargets::parse("irc", "no").nicks, ["irc"]);
        assert_eq!(WhoTargets::parse("irc,#tea", "oh%n").masks, ["irc"]);
        let many = ["a"; WHO_TARGETS_MAX + 2].join(",");
        let targets = WhoTargets::parse(&many, "");
        assert_eq!((targets.nicks.len(), targets.excess), (WHO_TARGETS_MAX, Some("a")));
    }

    #[test]
    fn a_mask_is_compared_with_the_chosen_fields() {
        let source = "bob!al@nc";
        let values = [
            ('n', "bob"),
            ('u', "al"),
            ('h', "nc"),
            ('s', "irc.example"),
            ('r', "Bob the Builder"),
            ('a', "bobby"),
        ];
        for (masks, options, finds) in [
            ("B?b", "", true),
            ("a*", "", true),
            ("*example", "", true),
            ("*THE b*", "", true),
            ("bobb*", "", false),
            ("bobby", "a", true),
            ("bobby", "n", false),
            ("nc", "h", true),
            ("n*", "nu", false),
            ("*", "i", false),
            ("0", "", true),
            ("*!*@nc", "", true),
            ("*!*@irc", "", false),
            ("x*,b*", "", true),
            ("", "", false),
            (&"x?".repeat(100), "", false),
        ] {
            let found = WhoMasks::parse(masks, options).match_person(source, &values);
            assert_eq!(found, finds, "{masks} {options}");
        }
    }
}
