//! Reading what a caller sent: the fields of a body, and the pages of a list.

use mizan_money::{Currency, Timestamp};
use serde_json::{Map, Value, json};

use super::error::Error;
use crate::bank::record::Metadata;
use crate::bank::request::Request;

const NOTES_MAX: usize = 15;
const NOTE_CHARS_MAX: usize = 256;
const COUNT_DEFAULT: usize = 10;
const TIME_MIN: i64 = 946_684_800;
const TIME_MAX: i64 = 4_765_046_400;

/// The fields of a JSON body.
pub struct Fields(Map<String, Value>);

impl Fields {
    /// Reads the body; none is an empty object.
    pub fn read(request: &Request) -> Result<Self, Error> {
        if request.body.is_empty() {
            return Ok(Self(Map::new()));
        }
        match request.json() {
            Some(Value::Object(fields)) => Ok(Self(fields)),
            _ => Err(Error::state("The request body is not valid JSON")),
        }
    }

    /// The fields of an object inside the body.
    pub fn of(value: &Value) -> Self {
        Self(value.as_object().cloned().unwrap_or_default())
    }

    /// A field that is there and not null.
    pub fn value(&self, name: &str) -> Option<&Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    /// A text.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.value(name).and_then(Value::as_str).filter(|text| !text.is_empty())
    }

    /// A text that must be there.
    pub fn required(&self, name: &str) -> Result<&str, Error> {
        let missing = || Error::field(name, &format!("The {} field is required.", spaced(name)));
        self.text(name).ok_or_else(missing)
    }

    /// A number or a switch as text, as Razorpay takes them in both forms.
    pub fn is_on(&self, name: &str) -> bool {
        match self.value(name) {
            Some(Value::Bool(on)) => *on,
            Some(Value::Number(number)) => number.as_i64() == Some(1),
            Some(Value::String(text)) => matches!(text.as_str(), "1" | "true"),
            _ => false,
        }
    }

    /// An amount in subunits; `None` when it is not there.
    pub fn amount(&self, name: &str) -> Result<Option<i64>, Error> {
        let Some(value) = self.value(name) else { return Ok(None) };
        let text = format!("The {name} must be an integer.");
        value.as_i64().map(Some).ok_or_else(|| Error::field(name, &text))
    }

    /// An amount that must be there and be above zero.
    pub fn required_amount(&self, name: &str) -> Result<i64, Error> {
        let required = || Error::field(name, &format!("The {name} field is required."));
        let amount = self.amount(name)?.ok_or_else(required)?;
        match amount {
            1.. => Ok(amount),
            _ => Err(Error::field(name, "The amount must be at least INR 1.00")),
        }
    }

    /// A currency; without one it is INR.
    pub fn currency(&self) -> Result<Currency, Error> {
        let text = "currency: validation_failure: BAD_REQUEST_INVALID_CURRENCY";
        let code = self.value("currency").map(|code| code.as_str().unwrap_or_default());
        Currency::parse(code.unwrap_or("INR")).map_err(|_| Error::field("currency", text))
    }

    /// The notes: at most 15 of at most 256 characters.
    pub fn notes(&self) -> Result<Metadata, Error> {
        let notes = self.value("notes").and_then(Value::as_object).into_iter().flatten();
        let text = |value: &Value| value.as_str().map_or(value.to_string(), str::to_owned);
        let notes: Metadata = notes.map(|(key, value)| (key.clone(), text(value))).collect();
        if notes.len() > NOTES_MAX {
            return Err(Error::field("notes", "Number of fields in notes should be at most 15."));
        }
        if notes.values().any(|note| note.chars().count() > NOTE_CHARS_MAX) {
            return Err(Error::field("notes", "A note may not be longer than 256 characters."));
        }
        Ok(notes)
    }
}

fn spaced(name: &str) -> String {
    name.replace('_', " ")
}

/// Notes as they are written: an empty array when there are none.
pub fn notes(notes: &Metadata) -> Value {
    match notes.is_empty() {
        true => json!([]),
        false => json!(notes),
    }
}

/// Which part of a list is asked for.
pub struct Paging {
    from: i64,
    to: i64,
    count: usize,
    skip: usize,
}

impl Paging {
    /// Reads `from`, `to`, `count` and `skip`; a page has at most `max` items.
    pub fn read(request: &Request, max: usize) -> Result<Self, Error> {
        let number = |name: &str, least: i64, most: i64, default: i64| {
            let Some(text) = request.query_value(name) else { return Ok(default) };
            let number = text.parse::<i64>().ok().filter(|n| (least..=most).contains(n));
            let refusal = format!("The {name} must be between {least} and {most}.");
            number.ok_or_else(|| Error::field(name, &refusal))
        };
        let most = i64::try_from(max).unwrap_or(i64::MAX);
        let default = i64::try_from(COUNT_DEFAULT).unwrap_or(most);
        let size = |number: i64| usize::try_from(number).unwrap_or_default();
        Ok(Self {
            from: number("from", TIME_MIN, TIME_MAX, TIME_MIN)?,
            to: number("to", TIME_MIN, TIME_MAX, TIME_MAX)?,
            count: size(number("count", 1, most, default)?),
            skip: size(number("skip", 0, i64::MAX, 0)?),
        })
    }

    /// The page of these items, each with the time it was made.
    pub fn page(&self, items: impl Iterator<Item = (Timestamp, Value)>) -> Value {
        let range = self.from..=self.to;
        let fitting = items.filter(|(made, _)| range.contains(&made.timestamp()));
        let page = fitting.skip(self.skip).take(self.count).map(|(_, item)| item);
        collection(page.collect())
    }
}

/// A list as Razorpay writes it; the count is that of the items given.
pub fn collection(items: Vec<Value>) -> Value {
    json!({ "entity": "collection", "count": items.len(), "items": items })
}

/// The whole list.
pub fn all(items: impl Iterator<Item = Value>) -> Value {
    collection(items.collect())
}
