//! Cuts a text into lines and words, each with its place.

use super::error::SyntaxError;

/// A word, a quoted text or a comma.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Token {
    pub text: String,
    /// It stood in quotes.
    pub quoted: bool,
    pub line: usize,
    pub column: usize,
}

/// A line that says something.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Line {
    pub number: usize,
    /// Spaces before the first word.
    pub indent: usize,
    pub tokens: Vec<Token>,
    /// What stands behind `#`.
    pub comment: Option<String>,
}

/// The lines with words or comments.
pub fn lines(text: &str) -> Result<Vec<Line>, SyntaxError> {
    let mut lines = Vec::new();
    for (index, text) in text.lines().enumerate() {
        let line = cut(text, index + 1)?;
        if !line.tokens.is_empty() || line.comment.is_some() {
            lines.push(line);
        }
    }
    Ok(lines)
}

fn cut(text: &str, number: usize) -> Result<Line, SyntaxError> {
    let chars: Vec<char> = text.chars().collect();
    let indent = chars.iter().take_while(|c| **c == ' ').count();
    let mut line = Line { number, indent, tokens: Vec::new(), comment: None };
    let mut at = 0;
    while let Some(&c) = chars.get(at) {
        match c {
            '\t' => return Err(wrong(number, at, "a tab", "only spaces stand between words")),
            c if c.is_whitespace() => at += 1,
            '#' => {
                let comment: String = chars[at + 1..].iter().collect();
                line.comment = Some(comment.trim().to_owned());
                break;
            }
            '"' | '\'' => at = quoted(&chars, at, &mut line)?,
            ',' => {
                line.tokens.push(token(",".to_owned(), false, number, at));
                at += 1;
            }
            _ => {
                let ends = |c: &char| c.is_whitespace() || matches!(c, ',' | '"' | '\'');
                let word: String = chars[at..].iter().take_while(|c| !ends(c)).collect();
                let begin = at;
                at += word.chars().count();
                line.tokens.push(token(word, false, number, begin));
            }
        }
    }
    Ok(line)
}

/// Reads up to the closing quote; answers where to go on.
fn quoted(chars: &[char], begin: usize, line: &mut Line) -> Result<usize, SyntaxError> {
    let (quote, mut text, mut at) = (chars[begin], String::new(), begin + 1);
    while let Some(&c) = chars.get(at) {
        match (c, chars.get(at + 1)) {
            ('\\', Some(&next)) if next == quote || next == '\\' => {
                text.push(next);
                at += 2;
            }
            (c, _) if c == quote => {
                line.tokens.push(token(text, true, line.number, begin));
                return Ok(at + 1);
            }
            (c, _) => {
                text.push(c);
                at += 1;
            }
        }
    }
    Err(wrong(line.number, begin, &quote.to_string(), "the quote is not closed on this line"))
}

fn token(text: String, quoted: bool, line: usize, begin: usize) -> Token {
    Token { text, quoted, line, column: begin + 1 }
}

fn wrong(line: usize, at: usize, read: &str, reason: &str) -> SyntaxError {
    let (read, reason) = (Some(read.to_owned()), Some(reason.to_owned()));
    SyntaxError { line, column: at + 1, read, could: Vec::new(), reason }
}
