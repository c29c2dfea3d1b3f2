//! As much XML as Telr answers, read into a tree within bounds.
//!
//! No document types, no entities beyond the five that XML itself has, no name spaces; attributes
//! are passed over.

use crate::http::is_xml_char;

/// Deepest nesting that is read.
const MAX_DEPTH: usize = 16;
/// Most elements that are read.
const MAX_ELEMENTS: usize = 20_000;

/// An element with what is inside it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Element {
    /// Its name.
    pub(super) name: String,
    /// Its own text, that of its children left out.
    pub(super) text: String,
    /// Its children, in order.
    pub(super) children: Vec<Element>,
}

impl Element {
    /// The first child of a name.
    pub(super) fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|it| it.name == name)
    }

    /// The text of a child, blanks around it left out; nothing where there is none.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.child(name).map(|it| it.text.trim()).filter(|text| !text.is_empty())
    }

    /// Itself and everything inside that has the name, in order.
    pub(super) fn all<'a>(&'a self, name: &str) -> Vec<&'a Self> {
        let mut found = Vec::new();
        let mut open = vec![self];
        while let Some(it) = open.pop() {
            if it.name == name {
                found.push(it);
            }
            open.extend(it.children.iter().rev());
        }
        found
    }
}

/// Reads a document.
///
/// # Errors
/// What is wrong with it.
pub(super) fn read(text: &str) -> Result<Element, &'static str> {
    let mut reader =
        Reader { rest: text.trim_start_matches('\u{feff}'), open: Vec::new(), seen: 0 };
    loop {
        if let Some(root) = reader.step()? {
            return reader.end().map(|()| root);
        }
    }
}

struct Reader<'a> {
    rest: &'a str,
    /// The elements that are not closed yet, the innermost last.
    open: Vec<Element>,
    seen: usize,
}

impl<'a> Reader<'a> {
    /// Reads the next piece; the root once it is closed.
    fn step(&mut self) -> Result<Option<Element>, &'static str> {
        if self.aside()? {
            return Ok(None);
        }
        if let Some(rest) = self.rest.strip_prefix("<![CDATA[") {
            let (text, rest) = rest.split_once("]]>").ok_or("a quotation is not closed")?;
            self.rest = rest;
            self.write(text)?;
            return Ok(None);
        }
        if self.rest.starts_with("<!") {
            return Err("it declares a document type");
        }
        if let Some(rest) = self.rest.strip_prefix("</") {
            let (name, rest) = rest.split_once('>').ok_or("a tag is not closed")?;
            self.rest = rest;
            return self.close(name.trim());
        }
        if self.rest.starts_with('<') {
            return self.tag();
        }
        let end = self.rest.find('<').ok_or("it ends inside an element")?;
        let (text, rest) = self.rest.split_at(end);
        self.rest = rest;
        self.write(&unescape(text)?)?;
        Ok(None)
    }

    /// Passes over an instruction or a comment.
    fn aside(&mut self) -> Result<bool, &'static str> {
        for (start, end) in [("<?", "?>"), ("<!--", "-->")] {
            if let Some(inner) = self.rest.strip_prefix(start) {
                self.rest = inner.split_once(end).ok_or("a remark is not closed")?.1;
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn write(&mut self, text: &str) -> Result<(), &'static str> {
        match self.open.last_mut() {
            Some(element) => element.text.push_str(text),
            None if text.trim().is_empty() => {}
            None => return Err("there is text outside the first element"),
        }
        Ok(())
    }

    fn tag(&mut self) -> Result<Option<Element>, &'static str> {
        let end = tag_end(self.rest).ok_or("a tag is not closed")?;
        let (tag, rest) = self.rest.split_at(end);
        self.rest = rest.get(1..).unwrap_or_default();
        let inner = tag.get(1..).unwrap_or_default();
        let (inner, empty) = inner.strip_suffix('/').map_or((inner, false), |inner| (inner, true));
        let name = inner.split(char::is_whitespace).next().unwrap_or_default();
        let plain = |c: char| c.is_ascii_alphanumeric() || "_-.:".contains(c);
        if name.is_empty() || !name.chars().all(plain) {
            return Err("a tag has no name");
        }
        self.seen += 1;
        if self.seen > MAX_ELEMENTS || self.open.len() >= MAX_DEPTH {
            return Err("it has too many elements, or too many inside each other");
        }
        self.open.push(Element { name: name.to_owned(), ..Element::default() });
        if empty { self.close(name) } else { Ok(None) }
    }

    fn close(&mut self, name: &str) -> Result<Option<Element>, &'static str> {
        let element = self.open.pop().ok_or("a tag is closed that was not opened")?;
        if element.name != name {
            return Err("tags are closed in the wrong order");
        }
        match self.open.last_mut() {
            Some(parent) => {
                parent.children.push(element);
                Ok(None)
            }
            None => Ok(Some(element)),
        }
    }

    /// Nothing but remarks may follow the root.
    fn end(&mut self) -> Result<(), &'static str> {
        loop {
            self.rest = self.rest.trim_start();
            if self.rest.is_empty() {
                return Ok(());
            }
            if !self.aside()? {
                return Err("something follows the first element");
            }
        }
    }
}

/// Where the `>` of a tag is, those inside quotes passed over.
fn tag_end(text: &str) -> Option<usize> {
    let mut quote = None;
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (None, '>') => return Some(at),
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), c) if open == c => quote = None,
            _ => {}
        }
    }
    None
}

fn unescape(text: &str) -> Result<String, &'static str> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        out.push_str(before);
        let (name, after) = after.split_once(';').ok_or("an entity is not closed")?;
        out.push(match name {
            "amp" => '&',
            "lt" => '<',
            "gt" => '>',
            "quot" => '"',
            "apos" => '\'',
            _ => numbered(name).ok_or("an entity is not known")?,
        });
        rest = after;
    }
    out.push_str(rest);
    Ok(out)
}

fn numbered(name: &str) -> Option<char> {
    let number = name.strip_prefix('#')?;
    let code = match number.strip_prefix('x') {
        Some(hex) => u32::from_str_radix(hex, 16).ok()?,
        None => number.parse().ok()?,
    };
    char::from_u32(code).filter(|c| is_xml_char(*c))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::http::escape_xml;

    #[test]
    fn an_answer_is_read_into_a_tree() {
        let text = "\u{feff}<?xml version=\"1.0\"?>\n<!-- a > b -->\n<remote a='>'>\n <auth>\
                    <status>A\
                    </status><message>5 &lt; 6 &amp; &#x41;&#66;<![CDATA[<x>]]></message></auth>\
                    <payment/></remote>\n<!-- end -->\n";
        let root = read(text).unwrap();
        let auth = root.child("auth").unwrap();
        assert_eq!((root.name.as_str(), auth.get("status")), ("remote", Some("A")));
        assert_eq!(auth.get("message"), Some("5 < 6 & AB<x>"));
        assert_eq!(root.get("payment"), None);
        assert_eq!(root.all("status").len(), 1);
    }

    #[test]
    fn what_is_not_sound_or_too_much_is_refused() {
        let deep = "<a>".repeat(17) + &"</a>".repeat(17);
        let many = format!("<a>{}</a>", "<b/>".repeat(20_001));
        for text in [
            "",
            "x",
            "<a>",
            "<a></b>",
            "</a>",
            "<a/><b/>",
            "<a/>x",
            "<a>&nope;</a>",
            "<a>&amp</a>",
            "<a>&#0;</a>",
            "<a>&#xffffffff;</a>",
            "<!DOCTYPE a><a/>",
            "<a",
            "<a b=\"></a>",
            "< a/>",
            "<a><!-- </a>",
            "<a><![CDATA[</a>",
            deep.as_str(),
            many.as_str(),
        ] {
            assert!(read(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(text in "[ -~\\t\u{a0}-\u{24f}ء-ي]{0,60}") {
            let root = read(&format!("<a>{}</a>", escape_xml(&text))).unwrap();
            prop_assert_eq!(root.text, text);
        }

        #[test]
        fn no_text_makes_it_panic(text in "[<>/a!?&;#x\\[\\]\"' -]{0,60}", any in "\\PC{0,60}") {
            let _ = (read(&text), read(&any), read(&escape_xml(&any)));
        }
    }
}
