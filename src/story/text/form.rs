//! What a statement looks like, and a statement that was read.

use mizan_money::Money;

use super::pattern::{Part, parts, told};
use super::value::{Account, Party, Value};

/// One kind of statement.
///
/// Patterns are words as they stand, `{field:kind}` where a value stands, and `[…]` around what
/// may be left out. The words of a kind can also be a choice: `{side:debit|credit}`.
#[derive(Debug)]
pub struct Form {
    /// How it begins.
    pub head: &'static str,
    /// What may follow, in any order, each once; with `!` in front it must. A clause without a
    /// field is noted under its own words.
    pub clauses: &'static [&'static str],
    /// The statements that may stand indented below it.
    pub children: &'static [Form],
    /// What it does, for the reference.
    pub says: &'static str,
    /// It in use, for the reference.
    pub example: &'static str,
}

impl Form {
    /// The words of its head, without values: what it is called in the program.
    pub fn verb(&self) -> String {
        let words = parts(self.head).into_iter().filter_map(|part| match part {
            Part::Word(word) => Some(word),
            _ => None,
        });
        words.collect::<Vec<_>>().join(" ")
    }

    /// Its head as the reference writes it.
    pub fn shape(&self) -> String {
        told(&parts(self.head))
    }

    /// Its clauses as the reference writes them; one that must stand has no brackets.
    pub fn clause_shapes(&self) -> Vec<String> {
        let shape = |clause: &&'static str| match clause.strip_prefix('!') {
            Some(pattern) => told(&parts(pattern)),
            None => format!("[{}]", told(&parts(clause))),
        };
        self.clauses.iter().map(shape).collect()
    }
}

/// A statement as it was read.
#[derive(Clone, Debug)]
pub struct Statement {
    /// Its line in the file.
    pub line: usize,
    /// The comments above it and on its lines.
    pub comments: Vec<String>,
    /// What it is.
    pub form: &'static Form,
    /// Its values by the names of the pattern.
    pub fields: Vec<(&'static str, Value)>,
    /// The problem that must answer it.
    pub refused: Option<String>,
    /// What stands indented below it.
    pub children: Vec<Statement>,
}

/// A whole file.
#[derive(Clone, PartialEq, Debug)]
pub struct Story {
    /// In the order in which they happen.
    pub statements: Vec<Statement>,
    /// Comments after the last of them.
    pub tail: Vec<String>,
}

impl PartialEq for Statement {
    /// Where it stands makes no difference.
    fn eq(&self, other: &Self) -> bool {
        self.form.head == other.form.head
            && self.comments == other.comments
            && self.fields == other.fields
            && self.refused == other.refused
            && self.children == other.children
    }
}

impl Statement {
    /// A value of the statement.
    pub fn get(&self, field: &str) -> Option<&Value> {
        self.fields.iter().find(|(name, _)| *name == field).map(|(_, value)| value)
    }

    /// Whether the field was given, or the clause without a field stands there.
    pub fn has(&self, field: &str) -> bool {
        self.get(field).is_some()
    }

    /// A value as text: names, words, quoted text, rates, days.
    pub fn word(&self, field: &str) -> Option<&str> {
        match self.get(field)? {
            Value::Word(text) | Value::Text(text) | Value::Number(text) => Some(text),
            _ => None,
        }
    }

    /// A name that the form's head always has.
    pub fn name(&self, field: &str) -> &str {
        self.word(field).unwrap_or_default()
    }

    /// An amount.
    pub fn money(&self, field: &str) -> Option<Money> {
        match self.get(field)? {
            Value::Money(money) => Some(*money),
            _ => None,
        }
    }

    /// An account.
    pub fn account(&self, field: &str) -> Option<&Account> {
        match self.get(field)? {
            Value::Account(account) => Some(account),
            _ => None,
        }
    }

    /// A vendor or an affiliate.
    pub fn party(&self, field: &str) -> Option<&Party> {
        match self.get(field)? {
            Value::Party(party) => Some(party),
            _ => None,
        }
    }

    /// A list of whole numbers.
    pub fn numbers(&self, field: &str) -> Option<Vec<i64>> {
        match self.get(field)? {
            Value::Numbers(numbers) => Some(numbers.clone()),
            _ => None,
        }
    }

    /// A whole number.
    pub fn whole(&self, field: &str) -> Option<i64> {
        match self.get(field)? {
            Value::Whole(number) => Some(*number),
            _ => None,
        }
    }
}
