//! One order at an authority: the names are proven, and there is a certificate. Stores nothing.

use std::time::Duration;

use instant_acme::{
    Account as AcmeAccount, AuthorizationStatus, CertificateIdentifier, ChallengeType, Identifier,
    NewOrder, Order, OrderStatus, RetryPolicy,
};
use rcgen::{CertificateParams, DistinguishedName, KeyPair, PKCS_ECDSA_P256_SHA256};

use super::challenges::Challenges;
use super::failed::{TryFailed, of_problem};
use crate::tls::pair::NoCertificate;

/// How often the state of an order is read, and for how long.
const POLLS: RetryPolicy = RetryPolicy::new().timeout(Duration::from_secs(90));

/// Gets a certificate for these names. Returns its key and its chain, in PEM. `replaces` is the
/// name of an earlier certificate that it replaces.
pub(super) async fn run(
    account: &AcmeAccount,
    names: &[String],
    replaces: Option<&str>,
    challenges: &Challenges,
) -> Result<String, TryFailed> {
    let identifiers: Vec<_> = names.iter().cloned().map(Identifier::Dns).collect();
    let mut wanted = NewOrder::new(&identifiers);
    if let Some((authority_key_identifier, serial)) = replaces.and_then(|id| id.split_once('.')) {
        let (authority_key_identifier, serial) = (authority_key_identifier.into(), serial.into());
        wanted = wanted.replaces(CertificateIdentifier { authority_key_identifier, serial });
    }
    let mut order = account.new_order(&wanted).await?;
    prove(&mut order, names, challenges).await?;
    if order.poll_ready(&POLLS).await? != OrderStatus::Ready {
        return Err(TryFailed::NotProven(why(&mut order).await));
    }
    let (key, request) = request(names).map_err(|error| NoCertificate::Own(error.to_string()))?;
    order.finalize_csr(&request).await?;
    let chain = order.poll_certificate(&POLLS).await?;
    Ok(key.serialize_pem() + &chain)
}

/// Answers at the doors, and asks the authority to look there.
async fn prove(
    order: &mut Order,
    names: &[String],
    challenges: &Challenges,
) -> Result<(), TryFailed> {
    let mut authorizations = order.authorizations();
    while let Some(authorization) = authorizations.next().await {
        let mut authorization = authorization?;
        if authorization.status == AuthorizationStatus::Valid {
            continue; // it was proven a short time ago
        }
        let name = match authorization.identifier().identifier {
            Identifier::Dns(name) if names.contains(name) => name.clone(),
            _ => return Err(TryFailed::ForeignName),
        };
        let way = match challenges.are_at_tls() {
            true => ChallengeType::TlsAlpn01,
            false => ChallengeType::Http01,
        };
        let Some(mut challenge) = authorization.challenge(way) else {
            return Err(TryFailed::NoChallenge(name));
        };
        let expected = challenge.key_authorization();
        match challenges.are_at_tls() {
            true => challenges.put_digest(&name, expected.digest().as_ref())?,
            false => challenges.put_text(&challenge.token, expected.as_str()),
        }
        challenge.set_ready().await?;
    }
    Ok(())
}

/// The reason why an order is invalid: the authority tells it with the name that it has checked.
async fn why(order: &mut Order) -> String {
    let mut authorizations = order.authorizations();
    while let Some(Ok(mut authorization)) = authorizations.next().await {
        if let Ok(state) = authorization.refresh().await {
            let mut problems = state.challenges.iter().filter_map(|one| one.error.as_ref());
            if let Some(problem) = problems.next() {
                return format!("{}: {}", state.identifier(), of_problem(problem));
            }
        }
    }
    "it gives no reason".to_owned()
}

/// A new key, and the request to certify it.
fn request(names: &[String]) -> Result<(KeyPair, Vec<u8>), rcgen::Error> {
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
    let mut facts = CertificateParams::new(names)?;
    facts.distinguished_name = DistinguishedName::new(); // the names are in the extension
    let request = facts.serialize_request(&key)?;
    Ok((key, request.der().to_vec()))
}
