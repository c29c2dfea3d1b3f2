//! What may stand only in one place: SQL, the clock, floats, the journal's writer.

use super::lexer::{Lexed, has_word};
use super::tree::{Source, Tree, Violation};

/// Folders in which a number is an amount sooner or later.
const AMOUNT_FOLDERS: [&str; 14] = [
    "money/",
    "ledger/",
    "providers/",
    "webhooks/",
    "simulator/",
    "reconciliation/",
    "src/payments/",
    "src/billing/",
    "src/wallets/",
    "src/commissions/",
    "src/payouts/",
    "src/settlements/",
    "src/vendors/",
    "src/outbox/",
];

/// Code in which something is read that is different at every run.
const CLOCKS: [&str; 8] = [
    "Utc::now",
    "Local::now",
    "SystemTime::now",
    "Instant::now",
    "Uuid::now_v7",
    "Uuid::now_v6",
    "Uuid::now_v1",
    "Timestamp::now",
];

pub fn sql(tree: &Tree) -> Vec<Violation> {
    let mut violations = Vec::new();
    for (source, lexed) in tree.rust().filter(|(source, _)| !may_hold_sql(source)) {
        for (line, text) in &lexed.strings {
            if is_sql(text) && !lexed.in_test_item(*line) {
                let text = "SQL lives in a `store.rs`; move the statement there, as a function";
                violations.push(Violation::new(&source.path, *line, text));
            }
        }
    }
    violations
}

/// Stores; the proofs, which read what a store must not offer; and tests.
fn may_hold_sql(source: &Source) -> bool {
    let folders: Vec<&str> = source.folder().split('/').collect();
    let home = |part: &str| part == "store" || part == "verify";
    source.is_test()
        || source.path.starts_with("migrations/")
        || folders.into_iter().any(home)
        || source.file_name().strip_suffix(".rs").is_some_and(home)
}

/// Whether a text is a statement: its first words are, in one case, those of one.
fn is_sql(text: &str) -> bool {
    let words: Vec<&str> = text.split_whitespace().collect();
    let Some(first) = words.first() else { return false };
    if first.chars().any(char::is_lowercase) && first.chars().any(char::is_uppercase) {
        return false;
    }
    let words: Vec<String> = words.iter().map(|word| word.to_lowercase()).collect();
    let second = words.get(1).map_or("", String::as_str);
    let rest = words[1..].join(" ");
    let object = |word: &str| {
        let word = word.trim_end_matches(';');
        ["table", "schema", "role", "database", "index", "function", "trigger", "policy", "view"]
            .contains(&word)
    };
    match words[0].as_str() {
        "select" => {
            rest.contains("from ") || rest.contains(['(', '$', '\'']) || rest.starts_with('1')
        }
        "insert" | "merge" => second == "into",
        "delete" => second == "from",
        "update" => words.iter().any(|word| word == "set"),
        "with" => rest.contains(" as (") || rest.contains(" as materialized"),
        "create" | "alter" | "drop" => object(second) || second == "or",
        "truncate" | "lock" => second == "table" || second.contains('.'),
        "grant" | "revoke" => rest.contains(" on ") || rest.contains(" to "),
        "set" | "reset" => ["local", "role", "session", "transaction"].contains(&second),
        "begin" | "commit" | "rollback" => words.len() == 1 || second == "isolation",
        _ => false,
    }
}

pub fn clock(tree: &Tree) -> Vec<Violation> {
    let text = "only `src/clock.rs` reads the clock; take `now: Timestamp` as an argument";
    code_lines(tree)
        .filter(|(source, _, _, _)| source.path != "src/clock.rs")
        .filter(|(_, _, _, code)| CLOCKS.iter().any(|clock| has_word(code, clock)))
        .map(|(source, _, line, _)| Violation::new(&source.path, line, text))
        .collect()
}

pub fn sleeps(tree: &Tree) -> Vec<Violation> {
    let text = "a test waits for what happens, or sets the time by hand; it does not sleep";
    code_lines(tree)
        .filter(|(source, lexed, line, _)| source.is_test() || lexed.in_test_item(*line))
        .filter(|(_, _, _, code)| has_word(code, "sleep") && code.contains("sleep("))
        .map(|(source, _, line, _)| Violation::new(&source.path, line, text))
        .collect()
}

pub fn floats(tree: &Tree) -> Vec<Violation> {
    let text = "no float near an amount; use `Money`, `Rate` or an integer of the smallest unit";
    code_lines(tree)
        .filter(|(source, _, _, _)| {
            AMOUNT_FOLDERS.iter().any(|folder| source.path.starts_with(folder))
        })
        .filter(|(source, lexed, line, code)| {
            // A test may show that a float is refused, but not count with one.
            let test = source.is_test() || lexed.in_test_item(*line);
            names_float(code) || (!test && has_float_literal(code))
        })
        .map(|(source, _, line, _)| Violation::new(&source.path, line, text))
        .collect()
}

/// A literal such as `1.5`.
fn has_float_literal(code: &str) -> bool {
    let bytes = code.as_bytes();
    let digit = |index: usize| bytes.get(index).is_some_and(u8::is_ascii_digit);
    code.match_indices('.').any(|(dot, _)| {
        let before = code[..dot].trim_end_matches(|c: char| c.is_ascii_digit() || c == '_');
        let number = dot > 0 && digit(dot - 1) && digit(dot + 1);
        // In `pair.0.1` and `x1.0` the digits belong to a name, not to a number.
        number && !before.ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '.')
    })
}

/// A float's type, also as the suffix of a number.
fn names_float(code: &str) -> bool {
    let in_name = |c: char| c.is_alphanumeric() || c == '_';
    ["f32", "f64"].iter().any(|name| {
        code.match_indices(name).any(|(offset, _)| {
            let before = code[..offset].trim_end_matches(|c: char| c.is_ascii_digit() || c == '_');
            let after = code[offset + name.len()..].chars().next();
            !before.ends_with(char::is_alphanumeric) && !after.is_some_and(in_name)
        })
    })
}

pub fn journal(tree: &Tree) -> Vec<Violation> {
    let mut violations = Vec::new();
    let elsewhere = |source: &Source| !source.path.starts_with("ledger/") && !source.is_test();
    for (source, lexed) in tree.rust().filter(|(source, _)| elsewhere(source)) {
        for (line, text) in &lexed.strings {
            let text = text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
            let writes = ["insert into ", "update ", "delete from ", "truncate ", "merge into "]
                .iter()
                .any(|verb| text.contains(&format!("{verb}ledger.")));
            // The outbox numbers its events in the book's row, which it has no other use for.
            let numbers_events = source.path == "src/outbox/store.rs"
                && text.contains("update ledger.book")
                && text.contains("event_position");
            if writes && !numbers_events && !lexed.in_test_item(*line) {
                let text = "only the ledger's store writes the journal; post a `Posting` instead";
                violations.push(Violation::new(&source.path, *line, text));
            }
        }
    }
    violations
}

fn code_lines(tree: &Tree) -> impl Iterator<Item = (&Source, &Lexed, usize, &str)> {
    tree.rust().flat_map(|(source, lexed)| {
        lexed.lines().map(move |(line, code)| (source, lexed, line, code))
    })
}

#[cfg(test)]
mod tests {
    use super::super::tree::complaints;
    use super::*;

    #[test]
    fn a_statement_outside_a_store_is_found_however_it_is_written() {
        let statements = [
            "\"select id from payments.intent\"",
            "\"SELECT 1\"",
            "r#\"\n  with due as (select 1) select * from due\"#",
            "\"insert into a.b values ($1)\"",
            "\"update a.b \\\n set c = 1\"",
            "\"delete from a.b\"",
            "\"set local role x\"",
            "\"commit\"",
            "\"create database x\"",
        ];
        for statement in statements {
            let code = format!("fn f() {{ run({statement}) }}\n");
            assert_eq!(complaints(sql, &[("src/a.rs", &code)]), ["src/a.rs:1"], "{statement}");
            for home in ["src/a/store.rs", "src/a/store/b.rs", "ledger/src/verify.rs"] {
                assert!(complaints(sql, &[(home, &code)]).is_empty(), "{home}");
            }
        }
    }

    #[test]
    fn prose_and_tests_are_not_taken_for_sql() {
        let prose = "fn f() { say(\"update the key\", \"Select one from the list\", \"with\", \
                     \"set the amount\", \"create an order\", \"commit to it\", \"\") }\n\
                     #[cfg(test)]\nmod tests { const A: &str = \"select 1\"; }\n";
        assert!(complaints(sql, &[("src/a.rs", prose)]).is_empty());
    }

    #[test]
    fn a_clock_is_found_outside_the_clock() {
        let code = "fn f() {\n    let a = chrono::Utc::now();\n    let b = \"Utc::now\";\n}\n";
        let files = [("src/clock.rs", code), ("src/a.rs", code), ("tests/it/b.rs", code)];
        assert_eq!(complaints(clock, &files), ["src/a.rs:2", "tests/it/b.rs:2"]);
    }

    #[test]
    fn a_sleep_is_found_in_tests_only() {
        let code = "fn f() { sleep(STEP); }\n#[cfg(test)]\nmod tests {\n fn g() { sleep(X) }\n}\n";
        let files = [("src/a.rs", code), ("tests/a.rs", "fn f() { sleep (no_sleep()) }")];
        assert_eq!(complaints(sleeps, &files), ["src/a.rs:4", "tests/a.rs:1"]);
    }

    #[test]
    fn floats_are_found_near_amounts_and_nowhere_else() {
        for code in ["let a: f64 = x;", "let a = 1f32;", "let a = 0.5;", "x as f64", "1_0.2"] {
            assert_eq!(complaints(floats, &[("money/src/a.rs", code)]).len(), 1, "{code}");
            assert!(complaints(floats, &[("src/telemetry.rs", code)]).is_empty(), "{code}");
        }
        for code in ["json!(250.0)", "let a = 1.5;"] {
            assert!(complaints(floats, &[("money/tests/a.rs", code)]).is_empty(), "{code}");
        }
        assert_eq!(complaints(floats, &[("money/tests/a.rs", "x as f64")]).len(), 1);
        for code in ["pair.0.1", "0..5", "x1.0", "call(\"1.5\")", "my_f64_free", "9.max(3)"] {
            assert!(complaints(floats, &[("money/src/a.rs", code)]).is_empty(), "{code}");
        }
    }

    #[test]
    fn a_second_writer_of_the_journal_is_found() {
        let store = "fn f() { run(\"insert  into ledger.entry (a) values (1)\") }";
        let outbox = "fn f() { run(\"update ledger.book\n set event_position = 1\") }";
        let files = [
            ("ledger/src/store.rs", store),
            ("src/payments/store.rs", store),
            ("src/outbox/store.rs", outbox),
            ("src/http/store.rs", outbox),
        ];
        let found = ["src/payments/store.rs:1", "src/http/store.rs:1"];
        assert_eq!(complaints(journal, &files), found);
    }
}
