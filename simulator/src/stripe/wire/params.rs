//! Form parameters with bracket nesting, taken out one by one so that leftovers are noticed.

use std::collections::BTreeMap;

use serde_json::Value;

use super::error::StripeError;
use crate::stripe::state::Metadata;

const PAIRS_MAX: usize = 500;
const DEPTH_MAX: usize = 6;
const METADATA_MAX: usize = 50;

/// One parameter: a text, or parameters inside it. List items have number keys.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Node {
    Text(String),
    Inside(BTreeMap<String, Node>),
}

impl Node {
    fn into_json(self) -> Value {
        match self {
            Self::Text(text) => Value::String(text),
            Self::Inside(inside) => {
                Value::Object(inside.into_iter().map(|(k, node)| (k, node.into_json())).collect())
            }
        }
    }
}

/// The parameters that were not taken yet.
#[derive(Clone, Debug, Default)]
pub struct Params {
    /// Empty at the top, else the name with its brackets.
    prefix: String,
    nodes: BTreeMap<String, Node>,
}

impl Params {
    /// Reads an encoded form or query.
    ///
    /// # Errors
    /// Not a form, too many parameters, nested too deep, or a name used in two ways.
    pub fn parse(bytes: &[u8]) -> Result<Self, StripeError> {
        let pairs: Vec<(String, String)> = serde_urlencoded::from_bytes(bytes)
            .map_err(|_| StripeError::invalid("The parameters are not a valid form."))?;
        if pairs.len() > PAIRS_MAX {
            return Err(StripeError::invalid("The request has too many parameters."));
        }
        let mut nodes = BTreeMap::new();
        for (name, value) in pairs {
            let path = split_name(&name).ok_or_else(|| unreadable(&name))?;
            insert(&mut nodes, &path, value).ok_or_else(|| unreadable(&name))?;
        }
        Ok(Self { prefix: String::new(), nodes })
    }

    fn full_name(&self, name: &str) -> String {
        if self.prefix.is_empty() { name.to_owned() } else { format!("{}[{name}]", self.prefix) }
    }

    /// A text; an empty one is refused.
    pub fn text(&mut self, name: &str) -> Result<Option<String>, StripeError> {
        let full = self.full_name(name);
        match self.nodes.remove(name) {
            None => Ok(None),
            Some(Node::Text(text)) if text.is_empty() => Err(StripeError::param(
                &full,
                "parameter_invalid_empty",
                &format!("`{full}` was given an empty value."),
            )),
            Some(Node::Text(text)) => Ok(Some(text)),
            Some(Node::Inside(_)) => Err(StripeError::param(
                &full,
                "parameter_invalid_string",
                &format!("`{full}` has to be a plain value."),
            )),
        }
    }

    /// A whole number.
    pub fn integer(&mut self, name: &str) -> Result<Option<i64>, StripeError> {
        let full = self.full_name(name);
        let Some(text) = self.text(name)? else { return Ok(None) };
        let refuse = || {
            let message = format!("Invalid integer: {text}");
            StripeError::param(&full, "parameter_invalid_integer", &message)
        };
        let digits = text.strip_prefix('-').unwrap_or(&text);
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(refuse());
        }
        text.parse().map(Some).map_err(|_| refuse())
    }

    /// `true` or `false`.
    pub fn flag(&mut self, name: &str) -> Result<Option<bool>, StripeError> {
        let full = self.full_name(name);
        match self.text(name)?.as_deref() {
            None => Ok(None),
            Some("true") => Ok(Some(true)),
            Some("false") => Ok(Some(false)),
            Some(other) => {
                let message = format!("Invalid boolean: {other}");
                Err(StripeError::param(&full, "parameter_invalid_boolean", &message))
            }
        }
    }

    /// One of the words.
    pub fn word(&mut self, name: &str, words: &[&str]) -> Result<Option<String>, StripeError> {
        let full = self.full_name(name);
        match self.text(name)? {
            Some(text) if !words.contains(&text.as_str()) => {
                let message = format!("`{full}` has to be one of {}.", words.join(", "));
                Err(StripeError::param(&full, "parameter_invalid_enum", &message))
            }
            other => Ok(other),
        }
    }

    /// A list of texts: `name[]=a` or `name[0]=a`.
    pub fn texts(&mut self, name: &str) -> Result<Option<Vec<String>>, StripeError> {
        let full = self.full_name(name);
        let refuse = || {
            let message = format!("`{full}` has to be a list.");
            StripeError::param(&full, "parameter_invalid_array", &message)
        };
        match self.nodes.remove(name) {
            None => Ok(None),
            Some(Node::Text(_)) => Err(refuse()),
            Some(Node::Inside(items)) => {
                let mut numbered = BTreeMap::new();
                for (index, item) in items {
                    let index: usize = index.parse().map_err(|_| refuse())?;
                    let Node::Text(text) = item else { return Err(refuse()) };
                    numbered.insert(index, text);
                }
                Ok(Some(numbered.into_values().collect()))
            }
        }
    }

    /// The parameters inside `name`.
    pub fn inside(&mut self, name: &str) -> Result<Option<Params>, StripeError> {
        let prefix = self.full_name(name);
        match self.nodes.remove(name) {
            None => Ok(None),
            Some(Node::Inside(nodes)) => Ok(Some(Params { prefix, nodes })),
            Some(Node::Text(_)) => {
                let message = format!("`{prefix}` has to be a set of parameters.");
                Err(StripeError::param(&prefix, "parameter_invalid_object", &message))
            }
        }
    }

    /// Whatever `name` holds, as JSON, to be echoed.
    pub fn anything(&mut self, name: &str) -> Option<Value> {
        self.nodes.remove(name).map(Node::into_json)
    }

    /// Whether `name` is there as a plain value, which for a filter means equality.
    pub fn is_plain(&self, name: &str) -> bool {
        matches!(self.nodes.get(name), Some(Node::Text(_)))
    }

    /// Puts the metadata changes into `old`: an empty value removes a key, `metadata=` all keys.
    ///
    /// # Errors
    /// Nested metadata, more than 50 keys, a key over 40 or a value over 500 characters.
    pub fn merge_metadata(&mut self, old: &Metadata) -> Result<Metadata, StripeError> {
        let mut merged = old.clone();
        match self.nodes.remove("metadata") {
            None => return Ok(merged),
            Some(Node::Text(text)) if text.is_empty() => merged.clear(),
            Some(Node::Text(_)) => {
                let message = "`metadata` has to be a set of keys and values.";
                return Err(StripeError::param("metadata", "parameter_invalid_object", message));
            }
            Some(Node::Inside(pairs)) => {
                for (key, node) in pairs {
                    let name = format!("metadata[{key}]");
                    let refuse = |message| {
                        Err(StripeError::param(&name, "parameter_invalid_string", message))
                    };
                    let Node::Text(value) = node else {
                        return refuse("Metadata values have to be plain.");
                    };
                    if key.chars().count() > 40 || value.chars().count() > 500 {
                        return refuse("Metadata keys take 40 characters and values 500.");
                    }
                    if value.is_empty() {
                        merged.remove(&key);
                    } else {
                        merged.insert(key, value);
                    }
                }
            }
        }
        if merged.len() > METADATA_MAX {
            return Err(StripeError::invalid("Metadata takes at most 50 keys."));
        }
        Ok(merged)
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// A parameter nobody took: it is unknown here.
    pub fn finish(self) -> Result<(), StripeError> {
        let Some(name) = self.nodes.keys().next() else { return Ok(()) };
        let full = self.full_name(name);
        let message = format!("Received unknown parameter: {full}");
        Err(StripeError::param(&full, "parameter_unknown", &message))
    }
}

/// Refuses a parameter that has to be there.
pub fn required<T>(value: Option<T>, name: &str) -> Result<T, StripeError> {
    value.ok_or_else(|| {
        let message = format!("Missing required param: {name}.");
        StripeError::param(name, "parameter_missing", &message)
    })
}

fn unreadable(name: &str) -> StripeError {
    let shown: String = name.chars().take(80).collect();
    StripeError::invalid(&format!("The parameter name `{shown}` cannot be read."))
}

/// `a[b][]` becomes `a`, `b`, and an empty name for "the next item".
fn split_name(name: &str) -> Option<Vec<&str>> {
    let Some((head, rest)) = name.split_once('[') else {
        return (!name.is_empty()).then(|| vec![name]);
    };
    let inner = rest.strip_suffix(']')?;
    let mut path = vec![head];
    path.extend(inner.split("]["));
    let clean = path.iter().all(|part| !part.contains(['[', ']']));
    (clean && !head.is_empty() && path.len() <= DEPTH_MAX).then_some(path)
}

fn insert(nodes: &mut BTreeMap<String, Node>, path: &[&str], value: String) -> Option<()> {
    let (head, rest) = path.split_first()?;
    let key = if head.is_empty() { nodes.len().to_string() } else { (*head).to_owned() };
    if rest.is_empty() {
        return nodes.insert(key, Node::Text(value)).is_none().then_some(());
    }
    match nodes.entry(key).or_insert_with(|| Node::Inside(BTreeMap::new())) {
        Node::Inside(inside) => insert(inside, rest, value),
        Node::Text(_) => None,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use super::*;

    #[test]
    fn brackets_nest_and_lists_may_be_numbered_or_not() {
        let text = "a=1&expand[]=x&expand[]=y&types[0]=card&metadata[order%5B]=A&m[b][c]=2";
        assert!(Params::parse(text.as_bytes()).is_err(), "a bracket inside a key is refused");
        let text = "a=1&expand[]=x&expand[]=y&types[0]=card&metadata[order]=A&m[b][c]=2";
        let mut params = Params::parse(text.as_bytes()).unwrap();
        assert_eq!(params.integer("a").unwrap(), Some(1));
        assert_eq!(params.texts("expand").unwrap().unwrap(), ["x", "y"]);
        assert_eq!(params.texts("types").unwrap().unwrap(), ["card"]);
        assert_eq!(params.merge_metadata(&Metadata::new()).unwrap()["order"], "A");
        let refusal = params.finish().unwrap_err().envelope();
        assert_eq!(refusal["error"]["code"], "parameter_unknown");
        assert_eq!(refusal["error"]["param"], "m");
    }

    #[test]
    fn numbers_are_plain_digits() {
        for text in ["1.5", "1e3", "+1", " 1", "", "99999999999999999999", "-"] {
            let body = serde_urlencoded::to_string([("n", text)]).unwrap();
            let mut params = Params::parse(body.as_bytes()).unwrap();
            assert!(params.integer("n").is_err(), "{text:?}");
        }
    }
}
