//! For any bytes: no panic, and the facts of a certificate do not depend on what follows it.

use parlor_wire::certificate::CertificateFacts;

pub(crate) fn run(data: &[u8]) {
    let facts = CertificateFacts::read(data);
    if let Some(facts) = &facts {
        let followed = [data, b"\x30\x03\x02\x01\x07"].concat();
        assert_eq!(CertificateFacts::read(&followed).as_ref(), Some(facts));
        let id = facts.renewal_id.as_deref().unwrap_or("a.b");
        let is_sign = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        assert!(id.chars().all(is_sign) && id.matches('.').count() == 1, "it is part of a URL");
    }
}
