//! What must not stay behind: stubs, silenced tests, code in comments, traces of a machine.

use super::lexer::has_word;
use super::tree::{Tree, Violation};

pub fn stubs(tree: &Tree) -> Vec<Violation> {
    let mut violations = Vec::new();
    for (source, lexed) in tree.rust() {
        for (line, code) in lexed.lines() {
            let stub = ["todo!", "unimplemented!"].iter().find(|stub| code.contains(**stub));
            let silenced = code.contains("#[ignore");
            if let Some(found) = stub.or(silenced.then_some(&"#[ignore]")) {
                let text = format!("`{found}` is a promise to do it later; do it, or take it out");
                violations.push(Violation::new(&source.path, line, text));
            }
        }
        for (line, comment) in &lexed.comments {
            let marks = ["FIXME", "TODO", "XXX", "HACK"];
            if marks.iter().any(|mark| has_word(comment, mark)) {
                let text = "a note to do it later; do it, or say why it is as it is";
                violations.push(Violation::new(&source.path, *line, text));
            }
        }
    }
    violations
}

pub fn commented_out_code(tree: &Tree) -> Vec<Violation> {
    let mut violations = Vec::new();
    for (source, lexed) in tree.rust() {
        for (line, _) in lexed.comments.iter().filter(|(_, comment)| is_code(comment)) {
            let text = "code in a comment; take it out, the history keeps it";
            violations.push(Violation::new(&source.path, *line, text));
        }
    }
    violations
}

/// A sentence may hold code in backticks; a line that *is* code begins and ends like it.
fn is_code(comment: &str) -> bool {
    let openers = [
        "let ", "fn ", "pub ", "use ", "impl ", "struct ", "enum ", "match ", "if ", "for ",
        "while ", "return ", "async ", "const ", "static ", "mod ", "assert", "#[", "println!",
        "dbg!", "self.", "} else",
    ];
    let ends_like_code = comment.ends_with([';', '{', '}']);
    let begins_like_code = openers.iter().any(|opener| comment.starts_with(opener));
    let call = comment.ends_with(");") || comment.ends_with(")?;") || comment.ends_with("await;");
    let attribute = comment.starts_with("#[") && comment.ends_with(']');
    let brace = matches!(comment, "}" | "{" | "});" | "})" | "};");
    (begins_like_code && ends_like_code) || call || attribute || brace
}

pub fn machine_paths(tree: &Tree) -> Vec<Violation> {
    // Put together here, so that this file passes its own rule.
    let traces = [
        concat!("/", "work/"),
        concat!("..", "/shared"),
        concat!(".", "library"),
        concat!("/", "root/"),
        concat!("/tmp/", "spec"),
    ];
    let mut violations = Vec::new();
    for source in &tree.sources {
        for (index, line) in source.text.lines().enumerate() {
            if let Some(trace) = traces.iter().find(|trace| line.contains(**trace)) {
                let text =
                    format!("`{trace}` is a place on one machine; use a path of the project");
                violations.push(Violation::new(&source.path, index + 1, text));
            }
        }
    }
    violations
}

#[cfg(test)]
mod tests {
    use super::super::tree::complaints;
    use super::*;

    #[test]
    fn stubs_and_silenced_tests_are_found_in_code_only() {
        let code = "fn f() {\n    todo!()\n}\n#[ignore = \"slow\"]\n// FIXME: later\n\
                    const A: &str = \"todo! FIXME #[ignore]\";\n/// Never `unimplemented!`.\n";
        assert_eq!(complaints(stubs, &[("a.rs", code)]), ["a.rs:2", "a.rs:4", "a.rs:5"]);
    }

    #[test]
    fn code_in_comments_is_found_and_sentences_are_not() {
        for code in ["// let a = 1;", "// run(a)?;", "// }", "/* if a {\n*/", "// #[test]"] {
            assert!(!complaints(commented_out_code, &[("a.rs", code)]).is_empty(), "{code}");
        }
        let prose = "// If the parent died, `let x = 1;` never ran.\n// For those in a hurry;\n\
                     // use the other one (see above).\n/// let documented = 1;\n";
        assert!(complaints(commented_out_code, &[("a.rs", prose)]).is_empty());
    }

    #[test]
    fn a_trace_of_a_machine_is_found_in_any_text() {
        let text = format!("fine\nsee {}work/x\n", "/");
        assert_eq!(complaints(machine_paths, &[("docs/A.md", &text)]), ["docs/A.md:2"]);
    }
}
