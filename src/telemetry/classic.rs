//! Metrics in the older text format of Prometheus. Knows no metric.

use std::collections::HashMap;

/// All metrics in the older text format (0.0.4): it has no units and no end mark, a counter has the
/// name of its only sample, and information is a gauge of 1.
pub(crate) fn classic(open: &str) -> String {
    let described = open.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    let kinds: HashMap<&str, &str> = described.filter_map(|line| line.split_once(' ')).collect();
    let mut classic = String::with_capacity(open.len());
    for line in open.lines() {
        let described = line.strip_prefix("# ").map(|line| line.splitn(3, ' '));
        let Some(mut words) = described else {
            classic.push_str(line);
            classic.push('\n');
            continue;
        };
        let (Some(word @ ("HELP" | "TYPE")), Some(name), Some(rest)) =
            (words.next(), words.next(), words.next())
        else {
            continue;
        };
        let (suffix, kind) = match kinds.get(name) {
            Some(&"counter") => ("_total", "counter"),
            Some(&"info") => ("_info", "gauge"),
            _ => ("", rest),
        };
        let rest = if word == "TYPE" { kind } else { rest };
        classic.push_str(&format!("# {word} {name}{suffix} {rest}\n"));
    }
    classic
}
