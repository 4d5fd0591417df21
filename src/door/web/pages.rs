//! The page and what it is made of, as it was built in. Knows no room.

use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};

/// What a browser shows at every room's address.
pub(super) const PAGE: File = File {
    name: "index.html",
    kind: "text/html; charset=utf-8",
    bytes: include_bytes!("page/index.html"),
};

const STYLE: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";

/// The files with these names, each of its kind.
macro_rules! files {
    ($($name:literal: $kind:expr,)*) => {
        &[$(File {
            name: $name,
            kind: $kind,
            bytes: include_bytes!(concat!("page/", $name)),
        },)*]
    };
}

/// What the page loads, under `/-/`.
const FILES: &[File] = files! {
    "parlor.css": STYLE,
    "parlor.js": SCRIPT,
    "connection.js": SCRIPT,
    "rooms.js": SCRIPT,
    "lines.js": SCRIPT,
    "text.js": SCRIPT,
    "compose.js": SCRIPT,
    "panels.js": SCRIPT,
    "words.js": SCRIPT,
    "icon.svg": "image/svg+xml",
};

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

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed step fails the test")]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    /// What loads at once on a slow line.
    const PAGE_BYTES_MAX: usize = 50_000;

    #[test]
    fn the_page_is_served_whole_and_is_small() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/door/web/page");
        for entry in fs::read_dir(folder).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            assert!(
                name == PAGE.name || File::find(&name).is_some(),
                "{name} is not served"
            );
        }
        let bytes = FILES.iter().map(|file| file.bytes.len()).sum::<usize>() + PAGE.bytes.len();
        assert!(bytes <= PAGE_BYTES_MAX, "{bytes} bytes");
    }
}
