//! The code stands on the floors that ARCHITECTURE.md lists: no import runs upward or in a circle.
//!
//! `tests/house-known.txt` has the violations that are known. It only gets shorter.

#![expect(clippy::unwrap_used, reason = "a failed step fails the test")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// A crate by the name that imports use, and the folder of its source.
const CRATES: [(&str, &str); 4] = [
    ("parlor_core", "crates/core/src"),
    ("parlor_wire", "crates/wire/src"),
    ("parlor", "src"),
    ("parlor_bench", "bench/src"),
];

/// The source of the product: path to text, without its unit tests.
fn sources() -> BTreeMap<String, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut folders: Vec<_> = CRATES.iter().map(|(_, folder)| root.join(folder)).collect();
    let mut sources = BTreeMap::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(root).unwrap().to_str().unwrap();
            if path.is_dir() {
                folders.push(path);
            } else if name.ends_with(".rs") && !name.ends_with("tests.rs") {
                let text = fs::read_to_string(&path).unwrap();
                sources.insert(name.to_owned(), without_tests(&text));
            }
        }
    }
    sources
}

/// The code without comments and without the unit tests at its end.
fn without_tests(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let is_test = |line: &&str| line.starts_with("mod tests {") || line.starts_with("mod bodies {");
    let end = lines.iter().position(is_test).unwrap_or(lines.len());
    let code = |line: &&&str| !line.trim_start().starts_with("//");
    let lines: Vec<&str> = lines[..end].iter().filter(code).copied().collect();
    lines.join("\n")
}

/// The floors of ARCHITECTURE.md from the top of the list to its end: paths of folders and files.
fn floors() -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("ARCHITECTURE.md");
    let page = fs::read_to_string(path).unwrap();
    let list = page.split("## Floors").nth(1).unwrap();
    let list = list.split("\n## ").next().unwrap();
    let mut folder = String::new();
    let mut floors = Vec::new();
    for line in list.lines().filter(|line| line.starts_with("    ")) {
        let path = line.split_whitespace().next().unwrap();
        if line.starts_with("      ") {
            floors.push(format!("{folder}{path}"));
        } else {
            path.clone_into(&mut folder);
        }
    }
    floors.push("bench/src/".to_owned());
    floors
}

/// The module of a file: its crate and its path in it.
fn module(file: &str) -> (&'static str, Vec<String>) {
    let is_in = |folder: &str| file.strip_prefix(folder)?.strip_prefix('/');
    let found = CRATES
        .iter()
        .find_map(|(name, folder)| Some((*name, is_in(folder)?)));
    let (name, path) = found.unwrap();
    let path = path.trim_end_matches(".rs").split('/').map(str::to_owned);
    let path = path.filter(|part| !["mod", "lib", "main"].contains(&part.as_str()));
    (name, path.collect())
}

/// The paths of our own modules that a file names, each as it is written.
fn named(code: &str) -> Vec<Vec<String>> {
    let mut paths = Vec::new();
    let mut rest = code;
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    let roots = [
        "crate",
        "super",
        "self",
        "parlor",
        "parlor_core",
        "parlor_wire",
    ];
    while let Some(at) = rest.find("::") {
        let before = &rest[..at];
        let start = before.rfind(|c| !is_part(c)).map_or(0, |at| at + 1);
        let root = &before[start..];
        let is_root = roots.contains(&root) && !before[..start].ends_with("::");
        rest = &rest[at..];
        if is_root {
            let length = tree(rest, &[root.to_owned()], &mut paths);
            rest = &rest[length..];
        } else {
            rest = &rest[2..];
        }
    }
    paths
}

/// Reads `::a::{b, c::d}` behind `root`, and adds each path in it; how many bytes that took.
fn tree(text: &str, root: &[String], paths: &mut Vec<Vec<String>>) -> usize {
    let mut path = root.to_vec();
    let mut at = 0;
    while text[at..].starts_with("::") || at == 0 {
        if text[at..].starts_with("::") {
            at += 2;
        }
        if text[at..].starts_with('{') {
            at += 1;
            loop {
                at += text[at..].len() - text[at..].trim_start_matches([',', ' ', '\n']).len();
                if text[at..].starts_with('}') || at >= text.len() {
                    return at + 1;
                }
                at += tree(&text[at..], &path, paths).max(1);
            }
        }
        let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == '*';
        let length = text[at..].find(|c| !is_part(c)).unwrap_or(text.len() - at);
        if length == 0 {
            break;
        }
        path.push(text[at..at + length].to_owned());
        at += length;
    }
    if let Some(rest) = text[at..].strip_prefix(" as ") {
        let is_part = |c: char| c.is_alphanumeric() || c == '_';
        at += 4 + rest.find(|c| !is_part(c)).unwrap_or(rest.len());
    }
    paths.push(path);
    at
}

/// Which files each file imports from, itself left out.
fn imports(sources: &BTreeMap<String, String>) -> BTreeMap<String, BTreeSet<String>> {
    let files: BTreeMap<_, _> = sources
        .keys()
        .rev()
        .map(|file| (module(file), file))
        .collect();
    let resolve = |name: &'static str, path: &[String]| {
        let lengths = (0..=path.len()).rev();
        let mut modules = lengths.map(|length| (name, path[..length].to_vec()));
        modules.find_map(|module| files.get(&module).map(|file| (*file).clone()))
    };
    let mut imports = BTreeMap::new();
    for (file, code) in sources {
        let (own, here) = module(file);
        let target = |path: Vec<String>| {
            let up = path.iter().take_while(|part| *part == "super").count();
            match path[0].as_str() {
                "super" => {
                    let mut whole = here[..here.len().saturating_sub(up)].to_vec();
                    whole.extend_from_slice(&path[up..]);
                    resolve(own, &whole)
                }
                "self" => resolve(own, &[&here[..], &path[1..]].concat()),
                "crate" => resolve(own, &path[1..]),
                name => {
                    let (name, _) = CRATES.iter().find(|(known, _)| *known == name)?;
                    resolve(name, &path[1..])
                }
            }
        };
        let declared: Vec<&str> = code.lines().filter_map(child).collect();
        let children = declared.iter().flat_map(|child| {
            let is_used = |line: &str| line.contains(&format!("use {child}::"));
            let used = code.lines().any(is_used);
            used.then(|| [&["self".to_owned()][..], &[(*child).to_owned()]].concat())
        });
        let found = named(code).into_iter().chain(children).filter_map(target);
        let found: BTreeSet<String> = found.filter(|target| target != file).collect();
        imports.insert(file.clone(), found);
    }
    imports
}

/// The module that a line declares.
fn child(line: &str) -> Option<&str> {
    let line = line.strip_suffix(';')?;
    let (_, name) = line.split_once("mod ")?;
    let is_name = name.chars().all(|c| c.is_alphanumeric() || c == '_');
    (is_name && !line.starts_with(' ')).then_some(name)
}

/// Files that can reach each other by imports: each with the number of its circle.
fn reach(imports: &BTreeMap<String, BTreeSet<String>>, from: &str) -> BTreeSet<String> {
    let mut reached = BTreeSet::new();
    let mut next = vec![from.to_owned()];
    while let Some(file) = next.pop() {
        for target in &imports[&file] {
            if reached.insert(target.clone()) {
                next.push(target.clone());
            }
        }
    }
    reached
}

/// Names of types that stand for more than one type.
fn doubled(sources: &BTreeMap<String, String>) -> BTreeSet<String> {
    let mut places: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for (file, code) in sources {
        for line in code.lines().filter(|line| !line.starts_with(' ')) {
            let words: Vec<&str> = line.split_whitespace().collect();
            let kinds = ["struct", "enum", "trait", "type", "union"];
            let Some(at) = words.iter().position(|word| kinds.contains(word)) else {
                continue;
            };
            if at > 2 || words.len() == at + 1 {
                continue;
            }
            let name = words[at + 1]
                .split(|c: char| !c.is_alphanumeric())
                .next()
                .unwrap();
            places.entry(name.to_owned()).or_default().push(file);
        }
    }
    let doubled = places.into_iter().filter(|(_, files)| files.len() > 1);
    doubled
        .map(|(name, files)| format!("type {name}: {}", files.join(" ")))
        .collect()
}

/// Everything that is wrong with the house, one line each.
fn violations() -> BTreeSet<String> {
    let (sources, floors) = (sources(), floors());
    let floor = |file: &str| {
        let on = floors.iter().enumerate();
        let on = on.filter(|(_, floor)| {
            *floor == file || floor.ends_with('/') && file.starts_with(*floor)
        });
        on.max_by_key(|(_, floor)| floor.len()).map(|(at, _)| at)
    };
    let imports = imports(&sources);
    let reached: BTreeMap<_, _> = imports
        .keys()
        .map(|file| (file, reach(&imports, file)))
        .collect();
    let mut violations = doubled(&sources);
    for (file, targets) in &imports {
        if floor(file).is_none() {
            violations.insert(format!("floor: {file}"));
        }
        for target in targets {
            let line = format!("{file} -> {target}");
            let (folder, name) = target.rsplit_once('/').unwrap();
            let is_own =
                ["mod.rs", "lib.rs"].contains(&name) && file.rsplit_once('/').unwrap().0 == folder;
            if is_own && !file.ends_with("/main.rs") {
                violations.insert(format!("own mod: {line}"));
            }
            if floor(target) > floor(file) {
                violations.insert(format!("upward: {line}"));
            } else if reached[target].contains(file) {
                violations.insert(format!("circle: {line}"));
            }
        }
    }
    violations
}

#[test]
fn no_import_runs_upward_or_in_a_circle_and_no_type_name_means_two_things() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/house-known.txt");
    let known = fs::read_to_string(path).unwrap();
    let known: BTreeSet<String> = known.lines().map(str::to_owned).collect();
    let found = violations();
    let new: Vec<_> = found.difference(&known).collect();
    let mended: Vec<_> = known.difference(&found).collect();
    assert!(
        new.is_empty(),
        "these imports or names are wrong:\n{new:#?}"
    );
    assert!(
        mended.is_empty(),
        "take these out of tests/house-known.txt, they are mended:\n{mended:#?}"
    );
}

#[test]
fn a_file_imports_from_few_others() {
    let imports = imports(&sources());
    let all: usize = imports.values().map(BTreeSet::len).sum();
    let tenths = all * 10 / imports.len();
    assert!(
        tenths <= 60,
        "{} files import from {all} others",
        imports.len()
    );
}
