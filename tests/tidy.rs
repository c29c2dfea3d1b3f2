//! The habits of this code base, checked: sizes, places, directions, and nothing half-done.
//!
//! Each rule is a pure function from the tree to what breaks it, and is itself tested on small
//! trees that break it. An exception is a path in the list of its rule; the lists are empty, and
//! an entry that is no longer needed fails the test, so they can only shrink.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

#[path = "tidy/dependencies.rs"]
mod dependencies;
#[path = "tidy/leftovers.rs"]
mod leftovers;
#[path = "tidy/lexer.rs"]
mod lexer;
#[path = "tidy/places.rs"]
mod places;
#[path = "tidy/size.rs"]
mod size;
#[path = "tidy/tree.rs"]
mod tree;

use std::sync::OnceLock;

use tree::{Tree, Violation};

/// Paths that a rule lets through for now.
type Exceptions = &'static [&'static str];

const LONG_FILES: Exceptions = &[];
const LONG_FUNCTIONS: Exceptions = &[];
const LONG_LINES: Exceptions = &[];
const FULL_FOLDERS: Exceptions = &[];
const FILES_WITHOUT_A_FIRST_SENTENCE: Exceptions = &[];
const SQL_ELSEWHERE: Exceptions = &[];
const CLOCKS_ELSEWHERE: Exceptions = &[];
const SLEEPS_IN_TESTS: Exceptions = &[];
const FLOATS_NEAR_AMOUNTS: Exceptions = &[];
const OTHER_WRITERS_OF_THE_JOURNAL: Exceptions = &[];
const WRONG_DIRECTIONS: Exceptions = &[];
const SECOND_CRYPTO_STACKS: Exceptions = &[];
const STUBS: Exceptions = &[];
const COMMENTED_OUT_CODE: Exceptions = &[];
const MACHINE_PATHS: Exceptions = &[];

#[test]
fn a_file_is_short_enough_to_read() {
    hold(size::files, LONG_FILES);
}

#[test]
fn a_function_fits_on_a_page() {
    hold(size::functions, LONG_FUNCTIONS);
}

#[test]
fn a_line_fits_on_a_screen() {
    hold(size::lines, LONG_LINES);
}

#[test]
fn a_folder_can_be_taken_in_at_a_glance() {
    hold(size::folders, FULL_FOLDERS);
}

#[test]
fn a_file_opens_with_a_sentence_that_says_what_it_is() {
    hold(size::first_sentences, FILES_WITHOUT_A_FIRST_SENTENCE);
}

#[test]
fn sql_lives_in_stores_and_migrations() {
    hold(places::sql, SQL_ELSEWHERE);
}

#[test]
fn only_the_clock_reads_the_clock() {
    hold(places::clock, CLOCKS_ELSEWHERE);
}

#[test]
fn no_test_sleeps() {
    hold(places::sleeps, SLEEPS_IN_TESTS);
}

#[test]
fn no_float_comes_near_an_amount() {
    hold(places::floats, FLOATS_NEAR_AMOUNTS);
}

#[test]
fn only_the_ledger_writes_the_journal() {
    hold(places::journal, OTHER_WRITERS_OF_THE_JOURNAL);
}

#[test]
fn dependencies_point_downwards() {
    hold(dependencies::directions, WRONG_DIRECTIONS);
}

#[test]
fn there_is_one_tls_and_crypto_stack() {
    hold(dependencies::crypto_stacks, SECOND_CRYPTO_STACKS);
}

#[test]
fn nothing_is_left_for_later() {
    hold(leftovers::stubs, STUBS);
}

#[test]
fn no_code_sleeps_in_comments() {
    hold(leftovers::commented_out_code, COMMENTED_OUT_CODE);
}

#[test]
fn no_text_knows_the_machine_it_was_written_on() {
    hold(leftovers::machine_paths, MACHINE_PATHS);
}

fn hold(rule: fn(&Tree) -> Vec<Violation>, exceptions: Exceptions) {
    static TREE: OnceLock<Tree> = OnceLock::new();
    let tree = TREE.get_or_init(Tree::load);
    let complaints = judge(rule(tree), exceptions);
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}

/// What remains after the exceptions, and the exceptions that nothing needs any more.
fn judge(violations: Vec<Violation>, exceptions: &[&str]) -> Vec<String> {
    let excused = |violation: &&Violation| exceptions.contains(&violation.path.as_str());
    let needed = |path: &&&str| violations.iter().any(|violation| violation.path == ***path);
    let open = violations.iter().filter(|violation| !excused(violation)).map(Violation::to_string);
    let stale = exceptions.iter().filter(|path| !needed(path));
    open.chain(stale.map(|path| format!("{path}: needs no exception any more; take it off")))
        .collect()
}

#[test]
fn an_exception_excuses_one_path_and_must_be_needed() {
    let violation = |path: &str| Violation::new(path, 3, "too long; split it");
    let violations = || vec![violation("a.rs"), violation("b.rs")];
    assert_eq!(judge(violations(), &["b.rs"]), ["a.rs:3: too long; split it"]);
    assert_eq!(
        judge(violations(), &["a.rs", "b.rs", "c.rs"]),
        ["c.rs: needs no exception any more; take it off"]
    );
}
