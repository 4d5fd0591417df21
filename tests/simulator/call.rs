//! A simulated client's end of the house: one request at a time, and the bell that says when to look for its outcome.

use parlor_core::link::{Link, Outcome, Request};

pub(crate) struct Call<A> {
    /// None when nothing will be asked any more.
    pub(crate) link: Option<Link>,
    /// What is under way.
    pub(crate) asked: Option<A>,
    /// The bell before it was last looked for an outcome: until it is rung there is none.
    looked: Option<u64>,
}

impl<A> Call<A> {
    pub(crate) fn new(link: Link) -> Call<A> {
        Call {
            link: Some(link),
            asked: None,
            looked: None,
        }
    }

    /// Whether something can be asked now.
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

    /// What has become of the request under way, if anything has.
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
