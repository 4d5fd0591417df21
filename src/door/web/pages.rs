//! The page and its files, built into the program. Knows no room.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Write;
use std::sync::OnceLock;

use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::door::http::wants_gzip;

/// The page at every room's address.
pub(super) static PAGE: File = File {
    name: "index.html",
    kind: "text/html; charset=utf-8",
    bytes: include_bytes!("page/index.html"),
    packed: OnceLock::new(),
    tag: OnceLock::new(),
};

const STYLE: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";

/// Files with their names and kinds.
macro_rules! files {
    ($($name:literal: $kind:expr,)*) => {
        [$(File {
            name: $name,
            kind: $kind,
            bytes: include_bytes!(concat!("page/", $name)),
            packed: OnceLock::new(),
            tag: OnceLock::new(),
        },)*]
    };
}

/// The files that the page loads, under `/-/`.
static FILES: [File; 20] = files! {
    "parlor.css": STYLE,
    "parlor.js": SCRIPT,
    "state.js": SCRIPT,
    "rooms.js": SCRIPT,
    "conversations.js": SCRIPT,
    "text.js": SCRIPT,
    "lines.js": SCRIPT,
    "markers.js": SCRIPT,
    "view.js": SCRIPT,
    "messages.js": SCRIPT,
    "actions.js": SCRIPT,
    "history.js": SCRIPT,
    "search.js": SCRIPT,
    "keys.js": SCRIPT,
    "connection.js": SCRIPT,
    "compose.js": SCRIPT,
    "panels.js": SCRIPT,
    "words.js": SCRIPT,
    "zh.js": SCRIPT,
    "icon.svg": "image/svg+xml",
};

/// A file of the page.
pub(super) struct File {
    name: &'static str,
    kind: &'static str,
    bytes: &'static [u8],
    /// The compressed bytes, made at the first request.
    packed: OnceLock<Bytes>,
    /// Differs between versions of the file.
    tag: OnceLock<HeaderValue>,
}

impl File {
    /// The file with this name.
    pub(super) fn find(name: &str) -> Option<&'static File> {
        FILES.iter().find(|file| file.name == name)
    }
}

impl File {
    /// The file, compressed to a third of its bytes if the client accepts that; or the answer that
    /// the client's copy is still good.
    pub(super) fn answer(&'static self, headers: &HeaderMap) -> Response {
        let kind = [
            (header::CONTENT_TYPE, self.kind),
            // The browser asks each time, so that the page fits its server.
            (header::CACHE_CONTROL, "no-cache"),
            (header::VARY, "accept-encoding, accept"),
        ];
        let described = ([(header::ETAG, self.tag().clone())], kind);
        if self.is_had(headers) {
            return (StatusCode::NOT_MODIFIED, described).into_response();
        }
        if !wants_gzip(headers) {
            return (described, self.bytes).into_response();
        }
        let packing = [(header::CONTENT_ENCODING, "gzip")];
        (described, packing, self.packed().clone()).into_response()
    }

    /// Whether the client has this version: the header lists it, or any (RFC 9110, section 13.1.2).
    fn is_had(&self, headers: &HeaderMap) -> bool {
        let opaque = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
        let own = self.tag().to_str().map(opaque).unwrap_or_default();
        let lists = headers.get_all(header::IF_NONE_MATCH).into_iter();
        let mut lists = lists.filter_map(|list| list.to_str().ok());
        // The tags here contain no comma.
        lists.any(|list| list.trim() == "*" || list.split(',').any(|tag| opaque(tag) == own))
    }

    /// A weak tag, because the compressed file has the same one (RFC 9110, section 8.8.1).
    fn tag(&self) -> &HeaderValue {
        self.tag.get_or_init(|| {
            let mut hasher = DefaultHasher::new();
            self.bytes.hash(&mut hasher);
            HeaderValue::from_str(&format!("W/\"{:x}\"", hasher.finish()))
                .unwrap_or(HeaderValue::from_static("W/\"\""))
        })
    }

    fn packed(&self) -> &Bytes {
        self.packed.get_or_init(|| {
            let mut packer = GzEncoder::new(Vec::new(), Compression::best());
            // Writing to memory does not fail.
            packer.write_all(self.bytes).ok();
            packer.finish().unwrap_or_default().into()
        })
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed step fails the test")]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    /// A developer can read a page of this size in an evening.
    const PAGE_BYTES_MAX: usize = 116_000;

    /// The page, with all its languages, loads fast even on a slow line.
    const PACKED_BYTES_MAX: usize = 46_000;

    #[test]
    fn a_client_that_has_a_file_does_not_get_it_again() {
        let first = PAGE.answer(&HeaderMap::new());
        assert_eq!(first.status(), StatusCode::OK);
        let has = |tag| HeaderMap::from_iter([(header::IF_NONE_MATCH, tag)]);
        let tag = first.headers()[header::ETAG].clone();
        let again = PAGE.answer(&has(tag.clone()));
        assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
        let opaque = tag.to_str().unwrap().trim_start_matches("W/").to_owned();
        for tags in [
            format!("\"other\", W/{opaque}"),
            format!("{opaque},\"other\""),
            format!("W/\"a, b\" , {opaque} "),
            "*".to_owned(),
        ] {
            let answer = PAGE.answer(&has(tags.parse().unwrap()));
            assert_eq!(answer.status(), StatusCode::NOT_MODIFIED, "{tags}");
        }
        for tags in ["", "W/", "\"\"", "\"other\"", "**", opaque.trim_matches('"')] {
            let answer = PAGE.answer(&has(tags.parse().unwrap()));
            assert_eq!(answer.status(), StatusCode::OK, "{tags}");
        }
        let other = File::find("words.js").unwrap().answer(&has(tag));
        assert_eq!(other.status(), StatusCode::OK);
    }

    #[test]
    fn the_page_is_served_whole_and_is_small() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/door/web/page");
        for entry in fs::read_dir(folder).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            assert!(name == PAGE.name || File::find(&name).is_some(), "{name} is not served");
        }
        let files = || FILES.iter().chain([&PAGE]);
        let bytes: usize = files().map(|file| file.bytes.len()).sum();
        assert!(bytes <= PAGE_BYTES_MAX, "{bytes} bytes");
        let packed: usize = files().map(|file| file.packed().len()).sum();
        assert!(packed <= PACKED_BYTES_MAX, "{packed} bytes");
    }
}
