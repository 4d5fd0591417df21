//! For any headers of a client: the address that the nearest proxy adds on the right is the client's.

use std::net::IpAddr;

use parlor_wire::forwarded::{HOPS_MAX, Hop, client, forwarded, x_forwarded_for};

/// The address and the scheme that a proxy adds.
const ADDED: &str = "203.0.113.9";
const ADDED_HOP: &str = "for=203.0.113.9;proto=https";

/// Each line is the value of a header.
pub(crate) fn run(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let fields: Vec<&str> = text.split('\n').collect();
    let hops = x_forwarded_for(fields.iter().copied());
    check_hops(&hops, &text);
    let added = x_forwarded_for(with_own_field(&fields, ADDED).iter().map(String::as_str));
    assert_eq!(name(&added), (ADDED.parse().ok(), None));
    let added = x_forwarded_for(with_own_hop(&fields, ADDED).iter().map(String::as_str));
    assert_eq!(name(&added), (ADDED.parse().ok(), None));

    let hops = forwarded(fields.iter().copied());
    if let Some(hops) = &hops {
        check_hops(hops, &text);
    }
    let wanted = (ADDED.parse().ok(), Some("https"));
    let own_field = forwarded(with_own_field(&fields, ADDED_HOP).iter().map(String::as_str));
    assert_eq!(own_field.is_some(), hops.is_some(), "a field spoils no other");
    assert!(own_field.iter().all(|hops| name(hops) == wanted));
    let own_hop = forwarded(with_own_hop(&fields, ADDED_HOP).iter().map(String::as_str));
    assert!(own_hop.iter().all(|hops| name(hops) == wanted));
}

/// No more hops than there are parts; and a client that many trusted proxies hide is one of them.
fn check_hops(hops: &[Hop], text: &str) {
    let parts = text.split([',', '\n']).count();
    assert!(hops.len() <= parts, "{} hops in {parts} parts", hops.len());
    let nearest = hops.get(hops.len().saturating_sub(HOPS_MAX)..).unwrap_or_default();
    if let Some(found) = client(hops, |_| true) {
        assert!(found.client.is_some() && nearest.contains(found));
    }
}

/// The client in front of proxies of which none is trusted, and its scheme.
fn name(hops: &[Hop]) -> (Option<IpAddr>, Option<&str>) {
    let hop = client(hops, |_| false);
    (hop.and_then(|hop| hop.client), hop.and_then(|hop| hop.scheme.as_deref()))
}

fn with_own_field(fields: &[&str], added: &str) -> Vec<String> {
    fields.iter().copied().chain([added]).map(str::to_owned).collect()
}

fn with_own_hop(fields: &[&str], added: &str) -> Vec<String> {
    let mut fields: Vec<String> = fields.iter().copied().map(str::to_owned).collect();
    if let Some(last) = fields.last_mut() {
        *last = format!("{last}, {added}");
    }
    fields
}
