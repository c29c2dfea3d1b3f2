//! The little XML that Telr speaks: elements and text, no namespaces, no document types.

const DEPTH_MAX: usize = 8;
const PROLOG: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";

/// An element; attributes are dropped.
#[derive(Clone, Debug, Default)]
pub struct Element {
    /// The name.
    pub name: String,
    /// The text directly in it.
    pub text: String,
    /// The elements in it, in order.
    pub children: Vec<Element>,
}

/// Reads a document; `None` when it is not one.
pub fn parse(text: &str) -> Option<Element> {
    let mut rest = text.trim_start_matches('\u{feff}');
    let mut open: Vec<Element> = Vec::new();
    loop {
        let (before, after) = rest.split_once('<')?;
        match open.last_mut() {
            Some(top) => top.text.push_str(&unescape(before)?),
            None if before.trim().is_empty() => {}
            None => return None,
        }
        if let Some(prolog) = after.strip_prefix('?') {
            rest = prolog.split_once("?>")?.1;
            continue;
        }
        if let Some(comment) = after.strip_prefix("!--") {
            rest = comment.split_once("-->")?.1;
            continue;
        }
        let (tag, next) = after.split_once('>')?;
        rest = next;
        let closed = if let Some(name) = tag.strip_prefix('/') {
            let top = open.pop()?;
            (top.name == name.trim_end()).then_some(top)?
        } else {
            let (tag, is_empty) = tag.strip_suffix('/').map_or((tag, false), |tag| (tag, true));
            let name = tag.split_whitespace().next().filter(|name| is_name(name))?;
            let element = Element { name: name.to_owned(), ..Element::default() };
            if !is_empty {
                open.push(element);
                if open.len() > DEPTH_MAX {
                    return None;
                }
                continue;
            }
            element
        };
        match open.last_mut() {
            Some(parent) => parent.children.push(closed),
            None => return rest.trim().is_empty().then_some(closed),
        }
    }
}

fn is_name(name: &str) -> bool {
    name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'))
}

fn unescape(text: &str) -> Option<String> {
    let mut plain = String::with_capacity(text.len());
    let mut parts = text.split('&');
    plain.push_str(parts.next().unwrap_or_default());
    for part in parts {
        let (entity, rest) = part.split_once(';')?;
        plain.push(match entity {
            "lt" => '<',
            "gt" => '>',
            "amp" => '&',
            "quot" => '"',
            "apos" => '\'',
            _ => {
                let number = entity.strip_prefix('#')?;
                let code = match number.strip_prefix('x') {
                    Some(hex) => u32::from_str_radix(hex, 16),
                    None => number.parse(),
                };
                char::from_u32(code.ok()?)?
            }
        });
        plain.push_str(rest);
    }
    Some(plain)
}

/// Text as it stands between tags.
pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// A leaf element.
pub fn leaf(name: &str, text: &str) -> String {
    format!("<{name}>{}</{name}>", escape(text))
}

/// An element around others.
pub fn wrap(name: &str, inner: &str) -> String {
    format!("<{name}>{inner}</{name}>")
}

/// A document.
pub fn document(root: &str) -> String {
    format!("{PROLOG}{root}")
}

/// Changes the text of every leaf element of this name.
pub fn rewrite(document: &str, name: &str, change: impl Fn(&str) -> Option<String>) -> String {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    let mut parts = document.split(open.as_str());
    let mut written = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        written.push_str(&open);
        match part.split_once(close.as_str()) {
            Some((text, rest)) if !text.contains('<') => {
                written.push_str(&change(text).unwrap_or_else(|| text.to_owned()));
                written.push_str(&close);
                written.push_str(rest);
            }
            _ => written.push_str(part),
        }
    }
    written
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_read_with_their_text_and_what_is_not_xml_is_refused() {
        let text = "<?xml version=\"1.0\"?>\n<!-- x --><a b=\"1\"><c>1 &lt; &#x32;</c><d/></a>\n";
        let root = parse(text).unwrap();
        assert_eq!((root.name.as_str(), root.children.len()), ("a", 2));
        assert_eq!(root.children[0].text, "1 < 2");
        let long = "<a>".repeat(20);
        for wrong in ["", "x", "<a>", "<a></b>", "<a/>x", "<!DOCTYPE a><a/>", "<a>&e;</a>", &long] {
            assert!(parse(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn only_leaves_of_the_name_are_rewritten() {
        let document = "<a><b>1</b><c><b>2</b></c><d>3</d></a>";
        let changed = rewrite(document, "b", |text| Some(format!("{text}0")));
        assert_eq!(changed, "<a><b>10</b><c><b>20</b></c><d>3</d></a>");
    }
}
