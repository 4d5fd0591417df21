//! Whatever comes: no request goes unnoticed, and no text is taken for junk.

use parlor_wire::first_line::{http_refusal, is_http_request, is_junk};

/// The bytes are a first line; and once more the method, the target and the field of requests.
pub(crate) fn run(data: &[u8]) {
    let shows_http = |line: &[u8]| {
        let has = |word: &[u8]| {
            line.windows(word.len())
                .any(|w| w.eq_ignore_ascii_case(word))
        };
        has(b" HTTP/") || has(b"host:")
    };
    assert!(!is_http_request(data) || shows_http(data));
    let text: Vec<u8> = data
        .iter()
        .copied()
        .filter(|b| matches!(b, 9 | 32..=126 | 128..))
        .collect();
    assert!(!is_junk(&text));
    assert_eq!(is_junk(data), text.len() < data.len());

    let word: String = data
        .iter()
        .filter(|b| b.is_ascii_graphic())
        .map(|b| char::from(*b))
        .collect();
    let token = word.replace(|c: char| "\"(),/:;<=>?@[\\]{}".contains(c), "");
    for request in [
        format!("M{token} / HTTP/1.1"),
        format!("M{token} /{word} HTTP/1.0"),
        format!("GET http://{word} HTTP/1.1\r"),
        format!("Host:{word}"),
    ] {
        assert!(is_http_request(request.as_bytes()), "{request}");
    }
    let refusal = http_refusal(&String::from_utf8_lossy(data));
    let (head, body) = refusal.split_once("\r\n\r\n").unwrap();
    assert!(head.contains(&format!("Content-Length: {}\r\n", body.len())));
}
