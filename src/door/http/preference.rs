//! The kind and the coding of an answer that a request prefers (RFC 9110, section 12). Knows no
//! answer.

use hyper::HeaderMap;
use hyper::header::{ACCEPT, ACCEPT_ENCODING, HeaderName};

/// The weight of a kind, in thousandths, and how precisely the header names it: `text/plain` is
/// more precise than `*/*`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Weight {
    weight: u16,
    closeness: u8,
}

/// The name itself, without a star.
const BY_NAME: u8 = 3;

/// The kind of the answer: `usual`, unless the request gives another kind more weight, or names it
/// and gives it the same weight. A kind may have a version after a semicolon, which counts if the
/// request has one.
pub(in crate::door) fn preferred<'a>(
    headers: &HeaderMap,
    usual: &'a str,
    others: &[&'a str],
) -> &'a str {
    let mut preferred = (wanted_kind(headers, usual), usual);
    for other in others {
        let wanted = wanted_kind(headers, other);
        let is_equal = wanted == preferred.0 && preferred.1 == usual;
        let is_named = wanted.closeness >= BY_NAME;
        if wanted.weight > 0 && (wanted > preferred.0 || (is_equal && is_named)) {
            preferred = (wanted, other);
        }
    }
    preferred.1
}

/// Whether to compress the answer: the client accepts gzip, and gives a plain answer no more
/// weight. A plain answer has a weight only if the header names it.
pub(in crate::door) fn wants_gzip(headers: &HeaderMap) -> bool {
    let of = |coding: &str| weights(headers, ACCEPT_ENCODING).find(|(name, _)| name == coding);
    let gzip = of("gzip").or_else(|| of("x-gzip")).or_else(|| of("*"));
    let plain = of("identity").map_or(0, |(_, weight)| weight);
    gzip.is_some_and(|(_, weight)| weight > 0 && weight >= plain)
}

/// The weight of a kind: the most precise name decides.
fn wanted_kind(headers: &HeaderMap, kind: &str) -> Weight {
    let (kind, version) = kind.split_once(';').unwrap_or((kind, ""));
    let family = kind.split('/').next().unwrap_or_default();
    let closest = weights(headers, ACCEPT).filter_map(|(range, weight)| {
        let (range, parameters) = range.split_once(';').unwrap_or((range.as_str(), ""));
        let asked = parameters.split(';').find(|one| one.starts_with("version="));
        let closeness = match range.trim() {
            range if range == kind => match asked {
                Some(asked) if asked == version => BY_NAME + 1,
                Some(_) if !version.is_empty() => return None,
                _ => BY_NAME,
            },
            "*/*" => 1,
            range if range.strip_suffix("/*") == Some(family) => 2,
            _ => return None,
        };
        Some((closeness, weight))
    });
    let (closeness, weight) = closest.max().unwrap_or_default();
    Weight { weight, closeness }
}

/// The items of a header, in lower case and without blanks, each with the weight after `q=`. Items
/// with an invalid weight are left out.
fn weights(headers: &HeaderMap, header: HeaderName) -> impl Iterator<Item = (String, u16)> {
    let lists = headers.get_all(header).into_iter();
    let lists = lists.filter_map(|list| list.to_str().ok());
    lists.flat_map(|list| list.split(',')).filter_map(|one| {
        let one: String = one.split_whitespace().collect();
        let one = one.to_ascii_lowercase();
        match one.split_once(";q=") {
            Some((name, rest)) => {
                let weight = rest.split(';').next().unwrap_or_default();
                Some((name.to_owned(), thousandths(weight)?))
            }
            None => Some((one, 1_000)),
        }
    })
}

/// A weight: from 0 to 1, with at most three digits after the point.
fn thousandths(weight: &str) -> Option<u16> {
    let value: f32 = weight.parse().ok()?;
    let is_valid = (0.0..=1.0).contains(&value) && weight.len() <= "0.123".len();
    is_valid.then_some((value * 1_000.0).round() as u16)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed step fails the test")]
mod tests {
    use super::*;

    fn headers(name: HeaderName, values: &[&str]) -> HeaderMap {
        let of = |value: &&str| (name.clone(), value.parse().unwrap());
        values.iter().map(of).collect()
    }

    #[test]
    fn the_kind_that_is_wanted_most_is_preferred() {
        const TEXT: &str = "text/plain;version=0.0.4";
        const OPEN: &str = "application/openmetrics-text;version=1.0.0";
        let prometheus = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,\
            application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;q=0.4,\
            text/plain;version=0.0.4;q=0.3,*/*;q=0.2";
        for (accept, wanted) in [
            ("", TEXT),
            ("*/*", TEXT),
            ("text/*", TEXT),
            ("application/*", OPEN),
            ("text/plain", TEXT),
            ("text/plain;version=0.0.4", TEXT),
            ("text/plain; version=0.0.4; q=0.5, */*; q=0.1", TEXT),
            ("application/openmetrics-text", OPEN),
            ("Application/OpenMetrics-Text ; Version=1.0.0", OPEN),
            ("application/openmetrics-text, text/plain", OPEN),
            ("application/openmetrics-text;q=0.5, text/plain", TEXT),
            ("application/openmetrics-text;q=0.500, text/plain;q=0.49", OPEN),
            ("application/openmetrics-text;q=0", TEXT),
            ("application/openmetrics-text;q=0, */*", TEXT),
            ("application/openmetrics-text;q=0.0, text/plain;q=0", TEXT),
            ("application/openmetrics-text;version=2.0.0, text/plain;q=0.1", TEXT),
            ("application/openmetrics-text;q=2", TEXT),
            ("application/openmetrics-text;q=0.5555, text/plain;q=0.1", TEXT),
            ("image/png", TEXT),
            (",,;q=,", TEXT),
            (prometheus, OPEN),
        ] {
            let headers = headers(ACCEPT, &[accept]);
            assert_eq!(preferred(&headers, TEXT, &[OPEN]), wanted, "{accept}");
        }
        let two = headers(ACCEPT, &["text/plain;q=0.1", "application/openmetrics-text"]);
        assert_eq!(preferred(&two, TEXT, &[OPEN]), OPEN);
    }

    #[test]
    fn answers_are_compressed_only_for_clients_that_accept_that() {
        for (accept, wanted) in [
            ("", false),
            ("gzip", true),
            ("GZip", true),
            ("x-gzip", true),
            ("gzip, deflate, br", true),
            ("gzip;q=0", false),
            ("gzip;q=0.000", false),
            ("gzip; q=0, *", false),
            ("gzip ; q=0.001", true),
            ("*", true),
            ("*;q=0", false),
            ("identity", false),
            ("identity;q=1, gzip;q=0.5", false),
            ("identity;q=0.5, gzip;q=1", true),
            ("identity;q=0, gzip", true),
            ("identity, gzip", true),
            ("br", false),
            ("gzipped", false),
        ] {
            let headers = headers(ACCEPT_ENCODING, &[accept]);
            assert_eq!(wants_gzip(&headers), wanted, "{accept}");
        }
    }
}
