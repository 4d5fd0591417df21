//! A simulated client's connection to the server: one request at a time, and the bell that rings
//! for its outcome.

use parlor_core::link::{Link, Outcome, Request};

pub(crate) struct Call<A> {
    /// None when the client has sent its last request.
    pub(crate) link: Option<Link>,
    /// The request under way.
    pub(crate) asked: Option<A>,
    /// The bell's version at the last check for an outcome. Until it rings again, there is none.
    looked: Option<u64>,
}

impl<A> Call<A> {
    pub(crate) fn new(link: Link) -> Call<A> {
        Call { link: Some(link), asked: None, looked: None }
    }

    /// Whether a request can start now.
    pub(crate) fn is_free(&self) -> bool {
        self.link.is_some() && self.asked.is_none()
    }

    pub(crate) fn start(&mut self, asked: A, request: impl Into<Request>) {
        if let Some(link) = &mut self.link {
            self.asked = Some(asked);
            self.looked = None;
            link.start(request);
        }
    }

    /// The outcome of the request under way, if there is one.
    pub(crate) fn outcome(&mut self) -> Option<(Outcome, A)> {
        let link = self.link.as_mut()?;
        let version = link.client().answered().version();
        if self.asked.is_none() || self.looked == Some(version) {
            return None;
        }
        self.looked = Some(version);
        let outcome = link.outcome()?;
        Some((outcome, self.asked.take()?))
    }
}
