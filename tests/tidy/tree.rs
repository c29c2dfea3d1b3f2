//! The files of the project, and what breaks a rule in them.

use std::fmt;
use std::fs;
use std::path::Path;

use super::lexer::{self, Lexed};

/// Folders that hold what tools make, what others wrote, or samples.
const SKIPPED: [&str; 8] =
    ["target", "data", "fixtures", "snapshots", "node_modules", "samples", "vendor", "__pycache__"];

/// Endings of the files that people read.
const TEXT_ENDINGS: [&str; 13] = [
    ".rs", ".toml", ".md", ".sql", ".sh", ".py", ".txt", ".yml", ".yaml", ".json", ".lock",
    ".story", ".html",
];

/// A text file; paths are relative to the root, with `/`.
#[derive(Debug)]
pub struct Source {
    pub path: String,
    pub text: String,
    /// Present for Rust.
    pub rust: Option<Lexed>,
}

impl Source {
    pub fn new(path: &str, text: &str) -> Self {
        let rust = path.ends_with(".rs").then(|| lexer::lex(text));
        Self { path: path.to_owned(), text: text.to_owned(), rust }
    }

    pub fn file_name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or_default()
    }

    pub fn folder(&self) -> &str {
        self.path.rsplit_once('/').map_or("", |(folder, _)| folder)
    }

    /// Whether the whole file is a test.
    pub fn is_test(&self) -> bool {
        format!("/{}", self.folder()).contains("/tests") || self.file_name() == "tests.rs"
    }
}

/// All text files.
#[derive(Debug, Default)]
pub struct Tree {
    pub sources: Vec<Source>,
}

impl Tree {
    /// Reads the project this test was built from.
    pub fn load() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut tree = Self::default();
        tree.add_folder(root, "");
        tree.sources.sort_by(|a, b| a.path.cmp(&b.path));
        assert!(tree.sources.len() > 20, "the project was not found in {}", root.display());
        tree
    }

    /// A tree out of nothing, for the tests of the rules.
    pub fn of(files: &[(&str, &str)]) -> Self {
        Self { sources: files.iter().map(|(path, text)| Source::new(path, text)).collect() }
    }

    /// Every Rust file with its lexed form.
    pub fn rust(&self) -> impl Iterator<Item = (&Source, &Lexed)> {
        self.sources.iter().filter_map(|source| Some((source, source.rust.as_ref()?)))
    }

    pub fn get(&self, path: &str) -> Option<&Source> {
        self.sources.iter().find(|source| source.path == path)
    }

    fn add_folder(&mut self, folder: &Path, prefix: &str) {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = format!("{prefix}{name}");
            let kind = entry.file_type().unwrap();
            if kind.is_dir() {
                let hidden = name.starts_with('.') && name != ".ci";
                if !hidden && !SKIPPED.contains(&name.as_str()) {
                    self.add_folder(&entry.path(), &format!("{path}/"));
                }
            } else if is_text(&path) {
                let text = fs::read(entry.path()).unwrap();
                self.sources.push(Source::new(&path, &String::from_utf8_lossy(&text)));
            }
        }
    }
}

fn is_text(path: &str) -> bool {
    let script = path.starts_with("scripts/") || path.starts_with(".ci/");
    script || path.ends_with("Makefile") || TEXT_ENDINGS.iter().any(|ending| path.ends_with(ending))
}

/// One place where a rule is broken, with the rule and the way out.
#[derive(Debug, PartialEq, Eq)]
pub struct Violation {
    pub path: String,
    line: usize,
    text: String,
}

impl Violation {
    pub fn new(path: impl Into<String>, line: usize, text: impl Into<String>) -> Self {
        Self { path: path.into(), line, text: text.into() }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.text)
    }
}

/// For the tests of the rules: where a rule complains about a small tree.
pub fn complaints(rule: fn(&Tree) -> Vec<Violation>, files: &[(&str, &str)]) -> Vec<String> {
    let place = |violation: &Violation| format!("{}:{}", violation.path, violation.line);
    rule(&Tree::of(files)).iter().map(place).collect()
}
