//! What the terminal is given: text made harmless. Knows no terminal and no connection.

/// Text that cannot steer a terminal, whatever the bytes.
pub(super) fn sanitise(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).replace(|c: char| c.is_control() && c != '\t', "\u{fffd}")
}

#[cfg(test)]
mod tests {
    use super::sanitise;

    #[test]
    fn nothing_steers_the_terminal() {
        let shown = sanitise(b"\x1b[31mred\x07 \xff\xc2\x9b2J\ta\rb\nc\x7f");
        assert!(
            !shown.contains(|c: char| c.is_control() && c != '\t'),
            "{shown:?}"
        );
        assert!(shown.contains("[31mred") && shown.contains('\t'));
    }
}
