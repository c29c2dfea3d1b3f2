//! Writes a story in its standard form: what is read back is the same story.

use std::fmt::{self, Write};

use super::form::{Statement, Story};
use super::pattern::{Part, parts};
use super::value::Value;

/// A longer line is broken before a clause.
const WIDTH: usize = 90;
const INDENT: &str = "  ";

impl fmt::Display for Story {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for statement in &self.statements {
            write(f, statement, "")?;
        }
        self.tail.iter().try_for_each(|comment| writeln!(f, "# {comment}"))
    }
}

fn write(f: &mut fmt::Formatter<'_>, it: &Statement, indent: &str) -> fmt::Result {
    for comment in &it.comments {
        writeln!(f, "{}", format!("{indent}# {comment}").trim_end())?;
    }
    let mut pieces = vec![filled(&parts(it.form.head), it)];
    for clause in it.form.clauses {
        let clause = clause.trim_start_matches('!');
        let parts = parts(clause);
        if it.has(clause) || is_given(&parts, it) {
            pieces.push(filled(&parts, it));
        }
    }
    pieces.extend(it.refused.as_ref().map(|problem| format!("refused: {problem}")));
    let mut line = indent.to_owned();
    for (number, piece) in pieces.iter().enumerate() {
        let too_long = line.chars().count() + piece.chars().count() > WIDTH;
        if number > 0 && too_long {
            f.write_str(&line)?;
            f.write_char('\n')?;
            line = format!("{indent}{INDENT}");
        } else if number > 0 {
            line.push(' ');
        }
        line.push_str(piece);
    }
    writeln!(f, "{line}")?;
    let deeper = format!("{indent}{INDENT}");
    it.children.iter().try_for_each(|child| write(f, child, &deeper))
}

/// Whether the statement has every field that these parts need. A field of one clause only
/// stands in it.
fn is_given(parts: &[Part], it: &Statement) -> bool {
    let fields = parts.iter().filter(|part| matches!(part, Part::Field(..)));
    let mut given = fields.map(|part| match part {
        Part::Field(name, _) => it.has(name),
        _ => true,
    });
    parts.iter().any(|part| matches!(part, Part::Field(..))) && given.all(|given| given)
}

/// The parts with the statement's values.
fn filled(parts: &[Part], it: &Statement) -> String {
    let mut words = Vec::new();
    for part in parts {
        match part {
            Part::Word(word) => words.push((*word).to_owned()),
            Part::Field(name, _) => words.extend(it.get(name).map(Value::to_string)),
            Part::Maybe(group) if is_given(group, it) => words.push(filled(group, it)),
            Part::Maybe(_) => {}
        }
    }
    words.join(" ")
}
