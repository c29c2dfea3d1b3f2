//! Reading what a caller sent: forms, JSON and XML become names and texts.

use mizan_money::{Currency, parse_amount};
use serde_json::Value;

use super::code::Failure;
use super::xml::{self, Element};
use crate::bank::request::Request;

/// What the plug-ins offer; other currencies are refused.
const CURRENCIES: [&str; 21] = [
    "AED", "BHD", "CAD", "EGP", "EUR", "GBP", "IDR", "INR", "JOD", "JPY", "KHR", "KWD", "MYR",
    "OMR", "PHP", "QAR", "SAR", "SGD", "THB", "USD", "VND",
];
/// The longest cart id and description.
pub const TEXT_MAX: usize = 63;

/// In which of Telr's languages a body is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// `application/x-www-form-urlencoded`.
    Form,
    /// JSON.
    Json,
    /// XML.
    Xml,
}

/// The fields of a body. JSON and XML are flattened: `order.amount`, `tran.type`.
#[derive(Debug)]
pub struct Ask {
    /// The language.
    pub family: Family,
    fields: Vec<(String, String)>,
}

impl Ask {
    /// Reads a body; the first letter tells the language, as callers forget the content type.
    pub fn read(request: &Request) -> Option<Self> {
        let text = request.text().trim_start();
        let mut fields = Vec::new();
        let family = if text.starts_with('{') {
            flatten_json("", &request.json()?, &mut fields);
            Family::Json
        } else if text.starts_with('<') {
            let root = xml::parse(text).filter(|root| root.name == "remote")?;
            for child in &root.children {
                flatten_xml("", child, &mut fields);
            }
            Family::Xml
        } else {
            fields = request.form();
            Family::Form
        };
        (!fields.is_empty()).then_some(Self { family, fields })
    }

    /// The first of these names that is there and not empty.
    pub fn text(&self, names: &[&str]) -> Option<&str> {
        names.iter().find_map(|name| {
            let found = self.fields.iter().find(|(key, _)| key == name);
            found.map(|(_, value)| value.trim()).filter(|value| !value.is_empty())
        })
    }

    /// A flag: `1` or `0`; `None` when it is not there.
    pub fn flag(&self, names: &[&str]) -> Option<bool> {
        self.text(names).map(|text| matches!(text, "1" | "true"))
    }

    /// Amount in minor units and currency.
    pub fn money(&self, amount: &[&str], currency: &[&str]) -> Result<(i64, Currency), Failure> {
        let missing = || Failure::of(2);
        let (amount, code) = (self.text(amount), self.text(currency));
        let (amount, code) = (amount.ok_or_else(missing)?, code.ok_or_else(missing)?);
        let known = CURRENCIES.iter().any(|known| known.eq_ignore_ascii_case(code));
        let parsed = Currency::parse(&code.to_ascii_uppercase()).ok();
        let currency = parsed.filter(|_| known).ok_or_else(|| Failure::because(5, "currency"))?;
        Ok((minor(amount, currency)?, currency))
    }

    /// Whether every letter is one that the card networks take; Arabic ones are not.
    pub fn is_latin(&self) -> bool {
        let takes =
            |letter: char| matches!(letter, '\t' | '\n' | '\r' | ' '..='~' | '\u{a0}'..='\u{24f}');
        self.fields.iter().all(|(_, value)| value.chars().all(takes))
    }
}

/// Major units as text, in minor units. Zeros beyond the currency's decimals do not matter: the
/// plug-ins send two decimals for every currency.
fn minor(text: &str, currency: Currency) -> Result<i64, Failure> {
    let text = match text.split_once('.') {
        Some((major, decimals)) => {
            let most = usize::try_from(currency.exponent()).unwrap_or_default();
            let mut decimals = decimals;
            while decimals.len() > most
                && let Some(shorter) = decimals.strip_suffix('0')
            {
                decimals = shorter;
            }
            if decimals.is_empty() { major.to_owned() } else { format!("{major}.{decimals}") }
        }
        None => text.to_owned(),
    };
    let amount = parse_amount(&text, currency).ok().map(|money| money.minor());
    amount.filter(|minor| *minor > 0).ok_or_else(|| Failure::because(5, "amount"))
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

fn flatten_json(path: &str, value: &Value, fields: &mut Vec<(String, String)>) {
    match value {
        Value::Object(object) => {
            for (name, value) in object {
                flatten_json(&join(path, name), value, fields);
            }
        }
        Value::Null | Value::Array(_) => {}
        Value::Bool(on) => fields.push((path.to_owned(), u8::from(*on).to_string())),
        Value::String(text) => fields.push((path.to_owned(), text.clone())),
        Value::Number(number) => fields.push((path.to_owned(), number.to_string())),
    }
}

fn flatten_xml(path: &str, element: &Element, fields: &mut Vec<(String, String)>) {
    let path = join(path, &element.name);
    for child in &element.children {
        flatten_xml(&path, child, fields);
    }
    if element.children.is_empty() {
        fields.push((path, element.text.clone()));
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_exact_and_zeros_too_many_are_forgiven() {
        let read = |text, code| minor(text, Currency::parse(code).unwrap()).ok();
        assert_eq!(read("54.50", "AED"), Some(5_450));
        assert_eq!(read("54.5", "AED"), Some(5_450));
        assert_eq!(read("1.250", "KWD"), Some(1_250));
        assert_eq!(read("100.00", "JPY"), Some(100));
        for wrong in ["1.005", "0", "0.00", "-1", "1,000.00", "x", ""] {
            assert_eq!(read(wrong, "AED"), None, "{wrong}");
        }
    }
}
