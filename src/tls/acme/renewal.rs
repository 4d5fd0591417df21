//! When a certificate is renewed: at two thirds of its life, or earlier if its authority says so
//! (ARI, RFC 9773). Stores nothing.

use instant_acme::Error;
use jiff::Timestamp;
use parlor_wire::certificate::CertificateFacts;
use serde::Deserialize;

use super::client::AuthorityClient;

/// The part of a directory that says where to ask.
#[derive(Deserialize)]
struct RenewalDirectory {
    #[serde(rename = "renewalInfo")]
    renewal_info: Option<String>,
}

/// The answer to the question when to renew.
#[derive(Deserialize)]
struct RenewalAnswer {
    #[serde(rename = "suggestedWindow")]
    window: RenewalWindow,
}

/// The time in which the authority wants a certificate to be renewed.
#[derive(Deserialize)]
struct RenewalWindow {
    start: String,
    end: String,
}

/// Two thirds of the life of a certificate, in seconds since 1970.
pub(super) fn two_thirds(facts: &CertificateFacts) -> i64 {
    let life = facts.not_after.saturating_sub(facts.not_before);
    facts.not_before.saturating_add(life / 3 * 2 + life % 3 * 2 / 3)
}

/// Asks an authority when it wants a certificate to be renewed, in seconds since 1970. None if it
/// does not say.
pub(super) async fn ask(
    client: &AuthorityClient,
    directory: &str,
    facts: &CertificateFacts,
) -> Result<Option<i64>, Error> {
    let Some(id) = &facts.renewal_id else {
        return Ok(None);
    };
    let directory: RenewalDirectory = serde_json::from_slice(&client.get(directory).await?)?;
    let Some(address) = directory.renewal_info else {
        return Ok(None);
    };
    let answer = client.get(&format!("{}/{id}", address.trim_end_matches('/'))).await?;
    let RenewalAnswer { window } = serde_json::from_slice(&answer)?;
    Ok(moment(&window, id))
}

/// The moment in a window at which this certificate is renewed. Each certificate has its own, so
/// that not all servers come at once, and always the same.
fn moment(window: &RenewalWindow, id: &str) -> Option<i64> {
    let seconds = |text: &str| text.parse::<Timestamp>().ok().map(Timestamp::as_second);
    let (start, end) = (seconds(&window.start)?, seconds(&window.end)?);
    let share = id.bytes().fold(0_u8, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte));
    (start <= end).then(|| start + (end - start) / 256 * i64::from(share))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn window(start: &str, end: &str) -> RenewalWindow {
        RenewalWindow { start: start.to_owned(), end: end.to_owned() }
    }

    #[test]
    fn a_window_is_read_as_the_rfc_writes_it() {
        let two_days = window("2025-01-02T04:00:00Z", "2025-01-04T04:00:00Z");
        let moments =
            ["a.b", "a.c", "aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE"].map(|id| moment(&two_days, id));
        let inside = 1_735_790_400..=1_735_963_200;
        assert!(moments.iter().all(|at| at.is_some_and(|at| inside.contains(&at))), "{moments:?}");
        assert!(moments[0] != moments[1] && moments[1] != moments[2]);
        assert_eq!(moment(&two_days, "a.b"), moments[0]);
        for wrong in
            [window("soon", "later"), window("2025-01-04T04:00:00Z", "2025-01-02T04:00:00Z")]
        {
            assert_eq!(moment(&wrong, "a.b"), None);
        }
    }

    proptest! {
        #[test]
        fn two_thirds_are_inside_of_any_life(not_before in -1_i64 << 40..1 << 40, life in 0..1_i64 << 40) {
            let facts = CertificateFacts { not_before, not_after: not_before + life, renewal_id: None };
            let passed = two_thirds(&facts) - not_before;
            prop_assert!((passed - life * 2 / 3).abs() <= 2 && passed <= life);
        }
    }
}
