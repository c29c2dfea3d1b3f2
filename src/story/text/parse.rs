//! Reads a text into statements.

use super::error::{Furthest, SyntaxError};
use super::form::{Form, Statement, Story};
use super::lexer::{Line, Token, lines};
use super::pattern::{Fields, Part, first_word, fit, parts, told};
use super::value::Value;

/// What stands before the name of a problem.
const REFUSED: &str = "refused:";

/// A statement's words, still to be understood.
struct Raw {
    line: usize,
    indent: usize,
    comments: Vec<String>,
    tokens: Vec<Token>,
    children: Vec<Raw>,
}

/// Reads a story in these forms.
///
/// # Errors
/// The first place that fits no form.
pub fn parse(text: &str, forms: &'static [Form]) -> Result<Story, SyntaxError> {
    let (mut raws, mut comments) = (Vec::<Raw>::new(), Vec::new());
    for line in lines(text)? {
        if line.tokens.is_empty() {
            comments.extend(line.comment);
        } else if line.indent == 0 {
            raws.push(raw(line, &mut comments));
        } else {
            let Some(raw) = raws.last_mut() else { return Err(nothing_above(&line)) };
            continue_with(raw, line, &mut comments, forms);
        }
    }
    let statements = raws.into_iter().map(|raw| understand(raw, forms, true));
    Ok(Story { statements: statements.collect::<Result<_, _>>()?, tail: comments })
}

fn raw(line: Line, comments: &mut Vec<String>) -> Raw {
    let mut above = std::mem::take(comments);
    above.extend(line.comment);
    let Line { number, indent, tokens, .. } = line;
    Raw { line: number, indent, comments: above, tokens, children: Vec::new() }
}

/// An indented line is a child of the statement, or goes on with what stands above it.
fn continue_with(raw_above: &mut Raw, line: Line, comments: &mut Vec<String>, forms: &[Form]) {
    if let Some(child) = raw_above.children.last_mut()
        && line.indent > child.indent
    {
        child.comments.append(comments);
        child.comments.extend(line.comment);
        child.tokens.extend(line.tokens);
        return;
    }
    let word = line.tokens.first().map_or("", |token| token.text.as_str());
    let heads = forms.iter().filter(|form| begins(form, &raw_above.tokens));
    if heads.flat_map(|form| form.children).any(|child| can_begin(child, word)) {
        raw_above.children.push(raw(line, comments));
        return;
    }
    raw_above.comments.append(comments);
    raw_above.comments.extend(line.comment);
    raw_above.tokens.extend(line.tokens);
}

/// Whether the form's first words are these.
fn begins(form: &Form, tokens: &[Token]) -> bool {
    let fits = |(part, token): (&Part, &Token)| match part {
        Part::Word(word) => token.text == *word,
        _ => true,
    };
    parts(form.head).iter().zip(tokens).take_while(|(part, _)| is_word(part)).all(fits)
}

const fn is_word(part: &Part) -> bool {
    matches!(part, Part::Word(_))
}

/// Whether a child can begin with this word; one that begins with an account takes every role.
fn can_begin(child: &Form, word: &str) -> bool {
    match first_word(child.head) {
        Some(first) => first == word,
        None => mizan_ledger::chart::Role::parse(word).is_some(),
    }
}

fn understand(
    raw: Raw,
    forms: &'static [Form],
    may_be_refused: bool,
) -> Result<Statement, SyntaxError> {
    let mut furthest = Furthest::default();
    let tokens = &raw.tokens;
    let mut best: Option<(usize, &'static Form, Fields)> = None;
    for form in forms {
        let Some((at, fields)) = fit(&parts(form.head), tokens, 0, &mut furthest) else { continue };
        if best.as_ref().is_none_or(|(longest, _, _)| at > *longest) {
            best = Some((at, form, fields));
        }
    }
    let Some((mut at, form, mut fields)) = best else { return Err(error(&raw, furthest)) };
    let mut refused = None;
    let mut open: Vec<&'static str> = form.clauses.to_vec();
    while at < tokens.len() {
        if may_be_refused && word_at(tokens, at) == Some(REFUSED) {
            refused = Some(problem(tokens, at + 1, &mut furthest).ok_or(at));
            at += 2;
            break;
        }
        let Some((next, clause, values)) = longest_clause(&open, tokens, at, &mut furthest) else {
            if may_be_refused {
                furthest.missed(at, "`refused: PROBLEM`", None);
            }
            if begins_a_line(&raw, at) {
                // What the children look for here is noted as what could stand.
                for child in form.children {
                    let _unread = fit(&parts(child.head), tokens, at, &mut furthest);
                }
            }
            return Err(error(&raw, furthest));
        };
        open.retain(|other| *other != clause);
        fields.extend(values);
        at = next;
    }
    let refused = match refused {
        Some(Err(_)) => return Err(error(&raw, furthest)),
        Some(Ok(problem)) => Some(problem),
        None => None,
    };
    if at < tokens.len() {
        let mut furthest = Furthest { at, ..Furthest::default() };
        furthest.reason = Some("a statement ends with the problem that refuses it".to_owned());
        return Err(error(&raw, furthest));
    }
    if let Some(missing) = open.iter().find_map(|clause| clause.strip_prefix('!')) {
        furthest.missed(at, &format!("`{}`", told(&parts(missing))), None);
        return Err(error(&raw, furthest));
    }
    let (line, comments) = (raw.line, raw.comments);
    let children = raw.children.into_iter().map(|child| understand(child, form.children, false));
    let children = children.collect::<Result<_, _>>()?;
    Ok(Statement { line, comments, form, fields: sorted(form, fields), refused, children })
}

/// Whether the word is the first of a line below the statement.
fn begins_a_line(raw: &Raw, at: usize) -> bool {
    let line = |at: usize| raw.tokens.get(at).map(|token| token.line);
    line(at).is_some_and(|here| here != raw.line && at.checked_sub(1).and_then(line) != Some(here))
}

/// The clause that takes the most words.
fn longest_clause(
    open: &[&'static str],
    tokens: &[Token],
    at: usize,
    furthest: &mut Furthest,
) -> Option<(usize, &'static str, Fields)> {
    let mut best: Option<(usize, &'static str, Fields)> = None;
    for clause in open {
        let pattern = clause.trim_start_matches('!');
        let Some((next, mut fields)) = fit(&parts(pattern), tokens, at, furthest) else { continue };
        if !pattern.contains('{') {
            fields.push((pattern, Value::Flag));
        }
        if best.as_ref().is_none_or(|(longest, _, _)| next > *longest) {
            best = Some((next, clause, fields));
        }
    }
    best
}

/// The fields in the order of the form, whatever the order of the clauses was.
fn sorted(form: &Form, fields: Fields) -> Fields {
    let mut order = Vec::new();
    names(&parts(form.head), &mut order);
    for clause in form.clauses {
        let pattern = clause.trim_start_matches('!');
        names(&parts(pattern), &mut order);
        order.push(pattern);
    }
    let place = |name: &str| order.iter().position(|other| *other == name);
    let mut fields = fields;
    fields.sort_by_key(|(name, _)| place(name));
    fields
}

fn names(parts: &[Part], into: &mut Vec<&'static str>) {
    for part in parts {
        match part {
            Part::Word(_) => {}
            Part::Field(name, _) => into.push(name),
            Part::Maybe(group) => names(group, into),
        }
    }
}

fn word_at(tokens: &[Token], at: usize) -> Option<&str> {
    tokens.get(at).filter(|token| !token.quoted).map(|token| token.text.as_str())
}

fn problem(tokens: &[Token], at: usize, furthest: &mut Furthest) -> Option<String> {
    let plain = |text: &&str| text.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    let found = word_at(tokens, at).filter(plain);
    if found.is_none() {
        furthest.missed(at, "the code of a problem, such as insufficient_balance", None);
    }
    found.map(str::to_owned)
}

fn error(raw: &Raw, furthest: Furthest) -> SyntaxError {
    let (read, line, column) = match raw.tokens.get(furthest.at) {
        Some(token) => (Some(token.text.clone()), token.line, token.column),
        None => {
            let last = raw.tokens.last();
            let line = last.map_or(raw.line, |token| token.line);
            (None, line, last.map_or(1, |token| token.column + token.text.chars().count()))
        }
    };
    SyntaxError { line, column, read, could: furthest.could, reason: furthest.reason }
}

fn nothing_above(line: &Line) -> SyntaxError {
    SyntaxError {
        line: line.number,
        column: line.indent + 1,
        read: line.tokens.first().map(|token| token.text.clone()),
        could: Vec::new(),
        reason: Some("an indented line belongs to a statement above it, and there is none".into()),
    }
}
