//! The reasons why an authority gives no certificate, in sentences. Asks no authority.

use std::path::PathBuf;

use instant_acme::{Error, Problem};

use crate::tls::pair::NoCertificate;

/// The most characters of an authority's own words in the log.
const WORDS_CHARS_MAX: usize = 500;

/// The kind of problem of an authority that does not know the account (RFC 8555, section 6.7).
const NO_ACCOUNT: &str = "urn:ietf:params:acme:error:accountDoesNotExist";

/// The reason why a try has failed, for the operator.
#[derive(Debug, thiserror::Error)]
pub(super) enum TryFailed {
    #[error("{}", words(.0))]
    Acme(#[from] Error),
    #[error("{0}")]
    Files(#[from] NoCertificate),
    #[error("{} is damaged; delete it, and the server makes a new account", .0.display())]
    DamagedAccount(PathBuf),
    #[error("it does not offer to check {0} in the way of --acme-challenge; choose the other way")]
    NoChallenge(String),
    #[error("it asks for a proof of a name that was not asked for")]
    ForeignName,
    #[error("it does not accept the proof: {0}")]
    NotProven(String),
    #[error("it did not finish in time")]
    TooLate,
    #[error("the try ended with a bug")]
    Bug,
}

impl TryFailed {
    /// Whether the authority does not know the account.
    pub(super) fn is_of_account(&self) -> bool {
        matches!(self, TryFailed::Acme(Error::Api(problem)) if problem.r#type.as_deref() == Some(NO_ACCOUNT))
    }
}

/// The words of the library, or of the authority.
fn words(error: &Error) -> String {
    match error {
        Error::Api(problem) => of_problem(problem),
        Error::Json(_) => "its answer makes no sense".to_owned(),
        Error::Timeout(_) => "it did not finish in time".to_owned(),
        error => shortened(&error.to_string()),
    }
}

/// An authority's words about a problem.
pub(super) fn of_problem(problem: &Problem) -> String {
    let mut parts: Vec<_> = problem.subproblems.iter().map(ToString::to_string).collect();
    parts.insert(0, problem.detail.clone().or(problem.r#type.clone()).unwrap_or_default());
    shortened(&parts.join(" "))
}

fn shortened(words: &str) -> String {
    words.chars().take(WORDS_CHARS_MAX).collect()
}
