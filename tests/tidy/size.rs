//! How long things may be, and how a file begins.

use std::collections::BTreeMap;

use super::lexer::{has_word, item_end};
use super::tree::{Tree, Violation};

const FILE_LINES_MAX: usize = 400;
const TEST_FILE_LINES_MAX: usize = 600;
const FUNCTION_LINES_MAX: usize = 70;
const LINE_CHARS_MAX: usize = 100;
const FOLDER_FILES_MAX: usize = 20;

pub fn files(tree: &Tree) -> Vec<Violation> {
    let too_long = tree.rust().filter_map(|(source, _)| {
        let max = if source.is_test() { TEST_FILE_LINES_MAX } else { FILE_LINES_MAX };
        let lines = source.text.lines().count();
        let text = format!("{lines} lines, at most {max}; move one subject to a file of its own");
        (lines > max).then(|| Violation::new(&source.path, max + 1, text))
    });
    too_long.collect()
}

pub fn lines(tree: &Tree) -> Vec<Violation> {
    let mut violations = Vec::new();
    for (source, _) in tree.rust() {
        for (index, line) in source.text.lines().enumerate() {
            let chars = line.chars().count();
            if chars > LINE_CHARS_MAX {
                let text = format!("{chars} characters, at most {LINE_CHARS_MAX}; break the line");
                violations.push(Violation::new(&source.path, index + 1, text));
            }
        }
    }
    violations
}

pub fn folders(tree: &Tree) -> Vec<Violation> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for (source, _) in tree.rust() {
        *counts.entry(source.folder()).or_default() += 1;
    }
    let full = counts.into_iter().filter(|(_, count)| *count > FOLDER_FILES_MAX);
    full.map(|(folder, count)| {
        let text = format!("{count} files, at most {FOLDER_FILES_MAX}; make folders by subject");
        Violation::new(folder, 0, text)
    })
    .collect()
}

pub fn first_sentences(tree: &Tree) -> Vec<Violation> {
    let silent = tree.rust().filter(|(source, _)| {
        let mut lines = source.text.lines();
        let first = lines.next().unwrap_or_default();
        first.strip_prefix("//! ").is_none_or(|text| text.trim().is_empty())
    });
    silent
        .map(|(source, _)| {
            Violation::new(&source.path, 1, "open with `//!` and a sentence: what is this file?")
        })
        .collect()
}

pub fn functions(tree: &Tree) -> Vec<Violation> {
    let mut violations = Vec::new();
    for (source, lexed) in tree.rust() {
        for (name, first, last) in function_spans(&lexed.code) {
            let lines = last - first + 1;
            if lines > FUNCTION_LINES_MAX {
                let text = format!(
                    "`{name}` has {lines} lines, at most {FUNCTION_LINES_MAX}; \
                     give a part of it a name"
                );
                violations.push(Violation::new(&source.path, first, text));
            }
        }
    }
    violations
}

/// Name, first and last line of every function that has a body.
fn function_spans(code: &str) -> Vec<(String, usize, usize)> {
    let mut spans = Vec::new();
    let mut line_starts = vec![0];
    line_starts.extend(code.match_indices('\n').map(|(offset, _)| offset + 1));
    let line_of = |offset: usize| line_starts.partition_point(|start| *start <= offset);
    for (offset, _) in code.match_indices("fn ") {
        if !has_word(&code[offset.saturating_sub(1)..offset + 2], "fn") {
            continue;
        }
        let rest = code[offset + 3..].trim_start();
        let part_of_name = |c: &char| c.is_alphanumeric() || matches!(c, '_' | '$' | '#');
        let name: String = rest.chars().take_while(part_of_name).collect();
        if !name.is_empty() {
            spans.push((name, line_of(offset), line_of(item_end(code, offset))));
        }
    }
    spans
}

#[cfg(test)]
mod tests {
    use super::super::tree::complaints;
    use super::*;

    fn file(path: &str, lines: usize) -> (String, String) {
        (path.to_owned(), "//! A file.\n".repeat(lines))
    }

    fn check(rule: fn(&Tree) -> Vec<Violation>, file: &(String, String)) -> Vec<String> {
        complaints(rule, &[(&file.0, &file.1)])
    }

    #[test]
    fn a_file_of_400_lines_passes_and_401_do_not() {
        assert!(check(files, &file("src/a.rs", 400)).is_empty());
        assert_eq!(check(files, &file("src/a.rs", 401)), ["src/a.rs:401"]);
        assert!(check(files, &file("tests/it/a.rs", 600)).is_empty());
        assert_eq!(check(files, &file("money/tests/a.rs", 601)), ["money/tests/a.rs:601"]);
    }

    #[test]
    fn a_function_of_70_lines_passes_and_71_do_not() {
        let function = |lines: usize| {
            let body = "    step(\"}\");\n".repeat(lines - 2);
            ("src/a.rs".to_owned(), format!("fn f(x: [u8; 4]) -> impl Fn(u8)\n{{\n{body}}}\n"))
        };
        assert!(check(functions, &function(69)).is_empty());
        assert_eq!(check(functions, &function(70)), ["src/a.rs:1"]);
        let declared = "trait T {\n    fn f(&self) -> u8;\n    fn g(&self) {}\n}\n";
        assert_eq!(
            function_spans(declared),
            [("f".to_owned(), 2, 2), ("g".to_owned(), 3, 3)],
            "a declaration ends at its semicolon"
        );
    }

    #[test]
    fn a_line_of_100_characters_passes_and_101_do_not() {
        let line = |chars: usize| ("src/a.rs".to_owned(), "é".repeat(chars));
        assert!(check(lines, &line(100)).is_empty());
        assert_eq!(check(lines, &line(101)), ["src/a.rs:1"]);
    }

    #[test]
    fn a_folder_of_20_files_passes_and_21_do_not() {
        let paths: Vec<String> = (0..21).map(|index| format!("src/a/f{index}.rs")).collect();
        let of = |count: usize| -> Vec<(&str, &str)> {
            paths.iter().take(count).map(|path| (path.as_str(), "")).collect()
        };
        assert!(complaints(folders, &of(20)).is_empty());
        assert_eq!(complaints(folders, &of(21)), ["src/a:0"]);
    }

    #[test]
    fn a_file_must_say_what_it_is() {
        let files = [("a.rs", "//! What it is.\n"), ("b.rs", "use x;\n"), ("c.rs", "//!\n")];
        assert_eq!(complaints(first_sentences, &files), ["b.rs:1", "c.rs:1"]);
    }
}
