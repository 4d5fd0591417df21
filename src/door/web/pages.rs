//! The page and what it is made of, as it was built in. Knows no room.

use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};

/// What a browser shows at every room's address.
pub(super) const PAGE: File = File {
    name: "index.html",
    kind: "text/html; charset=utf-8",
    bytes: include_bytes!("page/index.html"),
};

/// What the page loads, under `/-/`.
const FILES: &[File] = &[];

/// A file of the page.
pub(super) struct File {
    name: &'static str,
    kind: &'static str,
    bytes: &'static [u8],
}

impl File {
    /// The file with this name.
    pub(super) fn find(name: &str) -> Option<&'static File> {
        FILES.iter().find(|file| file.name == name)
    }
}

impl IntoResponse for &File {
    fn into_response(self) -> Response {
        let kind = HeaderValue::from_static(self.kind);
        // Looked for again each time, so that a page fits the server that answers it.
        let caching = HeaderValue::from_static("no-cache");
        (
            [
                (header::CONTENT_TYPE, kind),
                (header::CACHE_CONTROL, caching),
            ],
            self.bytes,
        )
            .into_response()
    }
}
