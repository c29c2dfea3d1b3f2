//! Takes Rust apart into code, texts and comments, just far enough for the rules.

use std::ops::Range;

/// A Rust file in parts. The code has the same lines as the file.
#[derive(Debug)]
pub struct Lexed {
    /// The code, with every comment and the inside of every text blanked out.
    pub code: String,
    /// String literals with the line they start on.
    pub strings: Vec<(usize, String)>,
    /// Comments that are not documentation, line by line.
    pub comments: Vec<(usize, String)>,
    /// Lines of items under `#[cfg(test)]`.
    test_lines: Vec<Range<usize>>,
}

impl Lexed {
    /// Lines of code, numbered from one.
    pub fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.code.lines().enumerate().map(|(index, line)| (index + 1, line))
    }

    /// Whether a line belongs to an item that exists in tests only.
    pub fn in_test_item(&self, line: usize) -> bool {
        self.test_lines.iter().any(|lines| lines.contains(&line))
    }
}

pub fn lex(text: &str) -> Lexed {
    let mut cursor = Cursor::new(text);
    while cursor.step() {}
    let code: String = cursor.code.into_iter().collect();
    let test_lines = test_items(&code);
    Lexed { code, strings: cursor.strings, comments: cursor.comments, test_lines }
}

struct Cursor {
    chars: Vec<char>,
    at: usize,
    line: usize,
    code: Vec<char>,
    strings: Vec<(usize, String)>,
    comments: Vec<(usize, String)>,
}

impl Cursor {
    fn new(text: &str) -> Self {
        let chars = text.chars().collect();
        let (strings, comments) = (Vec::new(), Vec::new());
        Self { chars, at: 0, line: 1, code: Vec::new(), strings, comments }
    }

    fn peek(&self, ahead: usize) -> char {
        self.chars.get(self.at + ahead).copied().unwrap_or('\0')
    }

    /// Takes one character: as code, or blanked.
    fn take(&mut self, shown: bool) -> char {
        let c = self.peek(0);
        self.code.push(if shown || c == '\n' { c } else { ' ' });
        self.line += usize::from(c == '\n');
        self.at += 1;
        c
    }

    fn take_shown(&mut self, count: usize) {
        for _ in 0..count {
            self.take(true);
        }
    }

    fn step(&mut self) -> bool {
        if self.at >= self.chars.len() {
            return false;
        }
        match (self.peek(0), self.peek(1)) {
            ('/', '/') => self.line_comment(),
            ('/', '*') => self.block_comment(),
            ('"', _) => self.string(),
            ('r', '"' | '#') if !self.after_word() || self.after_byte_prefix() => self.raw_string(),
            ('\'', _) => self.quote(),
            _ => {
                self.take(true);
            }
        }
        true
    }

    fn after_word(&self) -> bool {
        let before = self.at.checked_sub(1).map(|index| self.chars[index]);
        before.is_some_and(|c| c.is_alphanumeric() || c == '_')
    }

    /// `br"…"` and `cr"…"`.
    fn after_byte_prefix(&self) -> bool {
        let before = |back: usize| self.at.checked_sub(back).map(|index| self.chars[index]);
        matches!(before(1), Some('b' | 'c'))
            && !before(2).is_some_and(|c| c.is_alphanumeric() || c == '_')
    }

    fn line_comment(&mut self) {
        let line = self.line;
        let mut text = String::new();
        while self.at < self.chars.len() && self.peek(0) != '\n' {
            text.push(self.take(false));
        }
        if !text.starts_with("///") && !text.starts_with("//!") {
            self.comments.push((line, text[2..].trim().to_owned()));
        }
    }

    fn block_comment(&mut self) {
        let (line, start) = (self.line, self.at);
        let mut depth = 0_usize;
        loop {
            match (self.peek(0), self.peek(1)) {
                ('/', '*') => depth += 1,
                ('*', '/') => depth -= 1,
                _ => {
                    self.take(false);
                    if self.at >= self.chars.len() {
                        break;
                    }
                    continue;
                }
            }
            self.take(false);
            self.take(false);
            if depth == 0 {
                break;
            }
        }
        let text: String = self.chars[start..self.at.min(self.chars.len())].iter().collect();
        let lines = text.lines().map(|line| line.trim_matches(['/', '*', ' ']).to_owned());
        self.comments.extend(lines.enumerate().map(|(index, text)| (line + index, text)));
    }

    fn string(&mut self) {
        let line = self.line;
        let mut text = String::new();
        self.take(true);
        while self.at < self.chars.len() && self.peek(0) != '"' {
            if self.peek(0) == '\\' {
                self.take(false);
                let escaped = self.take(false);
                text.push(if escaped == '"' { '"' } else { ' ' });
            } else {
                text.push(self.take(false));
            }
        }
        self.take(true);
        self.strings.push((line, text));
    }

    fn raw_string(&mut self) {
        let hashes = (1..).take_while(|ahead| self.peek(*ahead) == '#').count();
        if self.peek(1 + hashes) != '"' {
            // A raw identifier.
            self.take(true);
            return;
        }
        let line = self.line;
        self.take_shown(hashes + 2);
        let mut text = String::new();
        while self.at < self.chars.len() {
            let closes = self.peek(0) == '"' && (1..=hashes).all(|ahead| self.peek(ahead) == '#');
            if closes {
                break;
            }
            text.push(self.take(false));
        }
        self.take_shown(hashes + 1);
        self.strings.push((line, text));
    }

    /// A character literal is blanked; a lifetime is code.
    fn quote(&mut self) {
        self.take(true);
        if self.peek(0) == '\\' {
            self.take(false);
            self.take(false);
            while self.at < self.chars.len() && self.peek(0) != '\'' {
                self.take(false);
            }
            self.take(true);
        } else if self.peek(1) == '\'' {
            self.take(false);
            self.take(true);
        }
    }
}

/// The lines of every item that follows `#[cfg(test)]`.
fn test_items(code: &str) -> Vec<Range<usize>> {
    let line_of = |offset: usize| code[..offset].matches('\n').count() + 1;
    let starts = code.match_indices("#[cfg(test)]").map(|(offset, _)| offset);
    starts.map(|start| line_of(start)..line_of(item_end(code, start)) + 1).collect()
}

/// Where an item that starts at `start` ends: at a `;` or a closing brace outside brackets.
pub fn item_end(code: &str, start: usize) -> usize {
    let mut depth = 0_usize;
    for (offset, c) in code[start..].char_indices() {
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => {
                depth = depth.saturating_sub(1);
                if depth == 0 && c == '}' {
                    return start + offset;
                }
            }
            ';' if depth == 0 => return start + offset,
            _ => {}
        }
    }
    code.len()
}

/// Whether `word` stands in `line` on its own, not as a part of a longer name.
pub fn has_word(line: &str, word: &str) -> bool {
    let part = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    line.match_indices(word).any(|(offset, _)| {
        !part(line[..offset].chars().next_back())
            && !part(line[offset + word.len()..].chars().next())
    })
}

#[test]
fn code_texts_and_comments_are_told_apart() {
    let text = "let a = \"x // \\\" y\"; // why\nlet b = r#\"raw \" {\"#;\n\
                /* one\n/* two */ */ fn c() {}\n";
    let lexed = lex(text);
    let lines: Vec<&str> = lexed.code.lines().map(str::trim_end).collect();
    assert_eq!(lines[0], "let a = \"         \";");
    assert_eq!(lines[1], "let b = r#\"       \"#;");
    assert_eq!(lines[3].trim(), "fn c() {}");
    assert_eq!(lexed.strings, [(1, "x // \" y".to_owned()), (2, "raw \" {".to_owned())]);
    assert_eq!(lexed.comments[0], (1, "why".to_owned()));
}

#[test]
fn lifetimes_are_code_and_characters_are_not() {
    let lexed = lex("fn f<'a>(x: &'a str) { m('{', '\\'', b'\"', '\\u{7d}') }");
    assert_eq!(lexed.code, "fn f<'a>(x: &'a str) { m(' ', '  ', b' ', '      ') }");
    assert!(lexed.strings.is_empty());
}

#[test]
fn an_item_under_cfg_test_is_known_by_its_lines() {
    let lexed =
        lex("fn a() {}\n#[cfg(test)]\n#[allow(x)]\nmod tests {\n fn b() {}\n}\nfn c() {}\n");
    let test_lines: Vec<usize> = (1..=7).filter(|line| lexed.in_test_item(*line)).collect();
    assert_eq!(test_lines, [2, 3, 4, 5, 6]);
}
