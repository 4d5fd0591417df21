//! The source stands on the floors that ARCHITECTURE.md lists.
//!
//! `tests/house-known.txt` lists the violations that are known. The list only gets shorter.

#![expect(clippy::unwrap_used, reason = "a failed step fails the test")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::{
    Attribute, Expr, ExprMethodCall, Ident, ImplItem, ItemImpl, ItemMod, ItemUse, Macro, Type,
    UseTree,
};

/// Each crate: its name in imports, and the folder of its source.
const CRATES: [(&str, &str); 4] = [
    ("parlor_core", "crates/core/src"),
    ("parlor_wire", "crates/wire/src"),
    ("parlor", "src"),
    ("parlor_bench", "bench/src"),
];

/// Words that the ledger may not use: a clock, chance, the configuration, a connection, or a map
/// whose order is one of these.
const NOT_IN_LEDGER: [&str; 10] = [
    "HashMap",
    "HashSet",
    "RandomState",
    "Instant",
    "SystemTime",
    "Now",
    "Limits",
    "Client",
    "Inbox",
    "Atomic",
];

/// The average number of own files that a file may import.
const IMPORTS_MAX: f64 = 4.0;

/// The facts about one source file, without its unit tests.
#[derive(Default)]
struct Source {
    /// The paths that it names, each from its first segment on.
    paths: Vec<Vec<String>>,
    /// The modules that it declares.
    children: Vec<String>,
    /// The types that it defines at its top level.
    types: Vec<String>,
    /// The type whose methods are being read.
    in_impl_of: String,
    /// The methods that it defines, each with its type; those of traits left out.
    methods: BTreeSet<Method>,
    /// The methods that a method of the same type calls on itself.
    calls: BTreeSet<Method>,
}

/// A type, and the name of its method.
type Method = (String, String);

impl Source {
    fn read(path: &Path) -> Source {
        let file = syn::parse_file(&fs::read_to_string(path).unwrap()).unwrap();
        let mut source = Source::default();
        for item in &file.items {
            match item {
                syn::Item::Struct(item) => source.define(&item.ident),
                syn::Item::Enum(item) => source.define(&item.ident),
                syn::Item::Trait(item) => source.define(&item.ident),
                syn::Item::Type(item) => source.define(&item.ident),
                _ => {}
            }
        }
        source.visit_file(&file);
        source
    }

    fn define(&mut self, name: &Ident) {
        self.types.push(name.to_string());
    }

    fn add_tree(&mut self, before: &[String], tree: &UseTree) {
        let with = |ident: &Ident| [before, &[ident.to_string()]].concat();
        match tree {
            UseTree::Path(path) => self.add_tree(&with(&path.ident), &path.tree),
            UseTree::Name(name) => self.paths.push(with(&name.ident)),
            UseTree::Rename(rename) => self.paths.push(with(&rename.ident)),
            UseTree::Glob(_) => self.paths.push(before.to_vec()),
            UseTree::Group(group) => {
                group.items.iter().for_each(|tree| self.add_tree(before, tree))
            }
        }
    }

    /// Finds paths in the arguments of a macro: names with two colons between them.
    fn add_tokens(&mut self, tokens: TokenStream) {
        let mut path: Vec<String> = Vec::new();
        let mut colons = 0;
        for token in tokens {
            match token {
                TokenTree::Ident(ident) => {
                    if colons != 2 {
                        self.paths.push(std::mem::take(&mut path));
                    }
                    path.push(ident.to_string());
                    colons = 0;
                }
                TokenTree::Punct(punct) if punct.as_char() == ':' => colons += 1,
                TokenTree::Group(group) => self.add_tokens(group.stream()),
                TokenTree::Punct(_) | TokenTree::Literal(_) => colons = 3,
            }
        }
        self.paths.push(path);
    }
}

fn is_test(attributes: &[Attribute]) -> bool {
    let cfg = attributes.iter().filter(|attribute| attribute.path().is_ident("cfg"));
    cfg.filter_map(|cfg| cfg.parse_args::<Ident>().ok()).any(|name| name == "test")
}

impl Visit<'_> for Source {
    fn visit_item_mod(&mut self, item: &ItemMod) {
        if is_test(&item.attrs) {
            return;
        }
        if item.content.is_none() {
            self.children.push(item.ident.to_string());
        }
        visit::visit_item_mod(self, item);
    }

    fn visit_item_use(&mut self, item: &ItemUse) {
        self.add_tree(&[], &item.tree);
    }

    fn visit_item_impl(&mut self, item: &ItemImpl) {
        if let Type::Path(of) = &*item.self_ty
            && let Some(last) = of.path.segments.last()
        {
            self.in_impl_of = last.ident.to_string();
        }
        if item.trait_.is_none() {
            for part in &item.items {
                if let ImplItem::Fn(function) = part {
                    let method = (self.in_impl_of.clone(), function.sig.ident.to_string());
                    self.methods.insert(method);
                }
            }
        }
        visit::visit_item_impl(self, item);
    }

    fn visit_expr_method_call(&mut self, call: &ExprMethodCall) {
        if let Expr::Path(receiver) = &*call.receiver
            && receiver.path.is_ident("self")
        {
            self.calls.insert((self.in_impl_of.clone(), call.method.to_string()));
        }
        visit::visit_expr_method_call(self, call);
    }

    fn visit_visibility(&mut self, _: &syn::Visibility) {
        // `pub(crate)` imports nothing.
    }

    fn visit_path(&mut self, path: &syn::Path) {
        let segments = path.segments.iter().map(|segment| segment.ident.to_string());
        self.paths.push(segments.collect());
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, item: &Macro) {
        self.add_tokens(item.tokens.clone());
    }
}

/// All source files of the product, by their path from the root.
struct SourceTree {
    sources: BTreeMap<String, Source>,
    /// The file of each module: its crate, and its path in the crate.
    modules: BTreeMap<Vec<String>, String>,
}

static TREE: LazyLock<SourceTree> = LazyLock::new(SourceTree::read);

impl SourceTree {
    fn read() -> SourceTree {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut folders: Vec<PathBuf> =
            CRATES.iter().map(|(_, folder)| root.join(folder)).collect();
        let (mut sources, mut modules) = (BTreeMap::new(), BTreeMap::new());
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
                if path.is_dir() {
                    folders.push(path);
                } else if name.ends_with(".rs") && !name.ends_with("/tests.rs") {
                    sources.insert(name.clone(), Source::read(&path));
                    if !name.ends_with("/main.rs") || name.starts_with("bench") {
                        modules.insert(module(&name), name);
                    }
                }
            }
        }
        SourceTree { sources, modules }
    }

    /// The files that a file imports from.
    fn imports(&self, file: &str) -> BTreeSet<&str> {
        let here = module(file);
        let targets = self.sources[file].paths.iter().filter_map(|path| {
            let first = path.first()?.as_str();
            let ups = path.iter().take_while(|part| *part == "super").count();
            let whole = match first {
                "crate" => [&here[..1], &path[1..]].concat(),
                "self" => [&here[..], &path[1..]].concat(),
                "super" => [&here[..here.len().checked_sub(ups)?], &path[ups..]].concat(),
                name if self.sources[file].children.iter().any(|child| child == name) => {
                    [&here[..], path].concat()
                }
                name if CRATES.iter().any(|(known, _)| *known == name) => path.clone(),
                _ => return None,
            };
            let mut lengths = (1..=whole.len()).rev();
            lengths.find_map(|length| self.modules.get(&whole[..length]))
        });
        targets.map(String::as_str).filter(|target| *target != file).collect()
    }

    /// The other files that define a method which a method of the same type in this file calls.
    fn calls(&self, file: &str) -> BTreeSet<&str> {
        let source = &self.sources[file];
        let elsewhere: Vec<_> = source.calls.difference(&source.methods).collect();
        let defines = |other: &Source| elsewhere.iter().any(|call| other.methods.contains(*call));
        let others = self.sources.iter().filter(|(_, other)| defines(other));
        others.map(|(name, _)| name.as_str()).collect()
    }

    /// Names that stand for more than one type, with the files that define them.
    fn doubled_types(&self) -> impl Iterator<Item = String> {
        let mut places: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (file, source) in &self.sources {
            for name in &source.types {
                places.entry(name).or_default().push(file);
            }
        }
        let doubled = places.into_iter().filter(|(_, files)| files.len() > 1);
        doubled.map(|(name, files)| format!("type {name}: {}", files.join(" ")))
    }
}

/// The module of a file: its crate, and its path in the crate.
fn module(file: &str) -> Vec<String> {
    let mut crates = CRATES.iter();
    let found = crates.find_map(|(name, folder)| Some((*name, file.strip_prefix(folder)?)));
    let (name, path) = found.unwrap();
    let parts = path.trim_end_matches(".rs").split('/');
    let parts = parts.filter(|part| !["", "mod", "lib", "main"].contains(part));
    [name].into_iter().chain(parts).map(str::to_owned).collect()
}

/// The floors of ARCHITECTURE.md, in order: paths of folders and files.
fn floors() -> Vec<String> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("ARCHITECTURE.md");
    let page = fs::read_to_string(page).unwrap();
    let list = page.split("## Floors").nth(1).unwrap().split("\n## ").next().unwrap();
    let mut folder = "";
    let mut floors = Vec::new();
    for line in list.lines().filter(|line| line.starts_with("    ")) {
        let path = line.split_whitespace().next().unwrap();
        if line.starts_with("      ") {
            floors.push(format!("{folder}{path}"));
        } else {
            folder = path;
        }
    }
    floors.push(folder.to_owned()); // the last crate is one floor
    floors
}

/// The files that `from` reaches by imports, in any number of steps.
fn reachable<'a>(
    imports: &BTreeMap<&'a str, BTreeSet<&'a str>>,
    from: &'a str,
) -> BTreeSet<&'a str> {
    let mut reached = BTreeSet::new();
    let mut next = vec![from];
    while let Some(file) = next.pop() {
        next.extend(imports[file].iter().filter(|target| reached.insert(**target)));
    }
    reached
}

/// Every violation in the source tree, one line each.
fn violations() -> BTreeSet<String> {
    let floors = floors();
    let floor = |file: &str| {
        let holds = |floor: &str| floor == file || floor.ends_with('/') && file.starts_with(floor);
        floors.iter().position(|floor| holds(floor))
    };
    let files = TREE.sources.keys().map(String::as_str);
    let imports: BTreeMap<_, _> = files.map(|file| (file, TREE.imports(file))).collect();
    let keys = imports.keys().map(|file| (*file, reachable(&imports, file)));
    let reached: BTreeMap<_, _> = keys.collect();
    let mut violations: BTreeSet<String> = TREE.doubled_types().collect();
    for (file, targets) in &imports {
        if floor(file).is_none() {
            violations.insert(format!("floor: {file}"));
        }
        for target in targets {
            let import = format!("{file} -> {target}");
            if target.strip_suffix("mod.rs").is_some_and(|folder| file.starts_with(folder)) {
                violations.insert(format!("own mod: {import}"));
            }
            if floor(target) > floor(file) {
                violations.insert(format!("upward: {import}"));
            } else if reached[target].contains(file) {
                violations.insert(format!("circle: {import}"));
            }
        }
    }
    let files = TREE.sources.keys().map(String::as_str);
    let calls: BTreeMap<_, _> = files.map(|file| (file, TREE.calls(file))).collect();
    let in_circles = calls.keys().filter(|file| reachable(&calls, file).contains(*file));
    violations.extend(in_circles.map(|file| format!("methods call in a circle: {file}")));
    violations
}

#[test]
fn nothing_runs_upward_or_in_a_circle_and_no_type_name_means_two_things() {
    let known = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/house-known.txt");
    let known = fs::read_to_string(known).unwrap();
    let known: BTreeSet<String> = known.lines().map(str::to_owned).collect();
    let found = violations();
    let new: Vec<_> = found.difference(&known).collect();
    let mended: Vec<_> = known.difference(&found).collect();
    assert!(new.is_empty(), "these imports, calls or names are wrong:\n{new:#?}");
    assert!(mended.is_empty(), "take these out of tests/house-known.txt:\n{mended:#?}");
}

#[test]
fn the_ledger_is_a_function_of_the_order_of_intents() {
    let is_ledger = |file: &str| {
        file.starts_with("crates/core/src/ledger/") || file.starts_with("crates/core/src/intent/")
    };
    let sources: Vec<_> = TREE.sources.iter().filter(|(file, _)| is_ledger(file)).collect();
    assert!(sources.len() > 10, "the ledger has moved");
    for (file, source) in sources {
        let mut words = source.paths.iter().flatten();
        let word = words.find(|word| NOT_IN_LEDGER.iter().any(|not| word.starts_with(not)));
        assert_eq!(word, None, "{file}");
    }
}

#[test]
fn a_file_imports_from_few_others() {
    let all: usize = TREE.sources.keys().map(|file| TREE.imports(file).len()).sum();
    let average = all as f64 / TREE.sources.len() as f64;
    assert!(average <= IMPORTS_MAX, "a file imports from {average:.2} others on average");
}
