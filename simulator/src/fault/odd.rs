//! Answers that no gateway documents, and answers that say something wrong.

use axum::body::Body;
use axum::http::{StatusCode, header};
use axum::response::Response;
use serde_json::Value;

use super::{Fault, FaultKind};

/// A state that nobody documented.
pub const UNKNOWN_STATE: &str = "simmering";
const WRONG_BY: i64 = 100;
const PAGE: &str = "<!doctype html>\n<html><head><title>One moment</title></head>\
                    <body><h1>One moment, please</h1></body></html>\n";

/// An answer that does not come from the gateway's own code.
pub struct Odd {
    /// HTTP status.
    pub status: u16,
    /// The content type, if there is a body.
    pub content_type: Option<&'static str>,
    /// One more header.
    pub header: Option<(&'static str, &'static str)>,
    /// The body.
    pub body: &'static str,
}

impl Odd {
    /// As axum sends it.
    pub fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::OK);
        let mut builder = Response::builder().status(status);
        if let Some(kind) = self.content_type {
            builder = builder.header(header::CONTENT_TYPE, kind);
        }
        if let Some((name, value)) = self.header {
            builder = builder.header(name, value);
        }
        builder.body(Body::from(self.body)).unwrap_or_default()
    }
}

/// The answer of a middlebox instead of the gateway's; `None` for every other kind of fault.
pub fn instead(kind: FaultKind) -> Option<Odd> {
    let html = Some("text/html; charset=utf-8");
    match kind {
        FaultKind::Html => Some(Odd { status: 200, content_type: html, header: None, body: PAGE }),
        FaultKind::Redirect => Some(Odd {
            status: 302,
            content_type: html,
            header: Some(("location", "https://login.invalid/")),
            body: PAGE,
        }),
        FaultKind::EmptyBody => {
            Some(Odd { status: 200, content_type: None, header: None, body: "" })
        }
        _ => None,
    }
}

/// The seconds of `Retry-After`.
pub fn retry_after(fault: Fault) -> u64 {
    fault.delay.map_or(1, |delay| delay.as_secs().max(1))
}

/// The names under which a gateway writes what can be falsified.
pub struct Fields {
    /// Amounts: integers in minor units, or decimal text in major units.
    pub amounts: &'static [&'static str],
    /// Currency codes.
    pub currencies: &'static [&'static str],
    /// State words.
    pub states: &'static [&'static str],
}

/// Makes the named fields wrong at every depth. An amount of zero stays zero, so only money that
/// is there grows: integers by 100, text by one major unit.
pub fn falsify(kind: FaultKind, body: &mut Value, fields: &Fields) {
    match body {
        Value::Array(items) => items.iter_mut().for_each(|item| falsify(kind, item, fields)),
        Value::Object(object) => {
            for (name, value) in object {
                let named = |names: &[&str]| names.contains(&name.as_str());
                match kind {
                    FaultKind::WrongAmount if named(fields.amounts) => raise(value),
                    FaultKind::WrongCurrency if named(fields.currencies) => exchange(value),
                    FaultKind::UnknownStatus if named(fields.states) && value.is_string() => {
                        *value = UNKNOWN_STATE.into();
                    }
                    _ => falsify(kind, value, fields),
                }
            }
        }
        _ => {}
    }
}

fn raise(value: &mut Value) {
    if let Some(amount) = value.as_i64().filter(|amount| *amount > 0) {
        *value = (amount + WRONG_BY).into();
    } else if let Some(raised) = value.as_str().and_then(raised) {
        *value = raised.into();
    }
}

/// Decimal text, one major unit higher.
pub fn raised(text: &str) -> Option<String> {
    let (major, rest) = text.split_once('.').map_or((text, None), |(a, b)| (a, Some(b)));
    let is_zero = text.bytes().all(|byte| matches!(byte, b'0' | b'.'));
    let major = major.parse::<i64>().ok().filter(|_| !is_zero)? + 1;
    Some(rest.map_or(major.to_string(), |rest| format!("{major}.{rest}")))
}

fn exchange(value: &mut Value) {
    if let Some(wrong) = value.as_str().map(other_currency) {
        *value = wrong.into();
    }
}

/// A currency that this is not, in the same case.
pub fn other_currency(code: &str) -> &'static str {
    match code {
        "USD" => "EUR",
        "usd" => "eur",
        lower if lower.bytes().all(|byte| byte.is_ascii_lowercase()) => "usd",
        _ => "USD",
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use super::*;
    use serde_json::json;

    const FIELDS: Fields =
        Fields { amounts: &["amount", "value"], currencies: &["currency"], states: &["status"] };

    #[test]
    fn only_the_named_fields_become_wrong_at_every_depth() {
        let right = json!({ "items": [
            { "amount": 500, "fee": 5, "currency": "INR", "status": "paid" },
            { "amount": 0, "value": "9.50", "currency": "usd", "status": null },
        ] });
        let wrong = |kind| {
            let mut body = right.clone();
            falsify(kind, &mut body, &FIELDS);
            body["items"].clone()
        };
        let amounts = wrong(FaultKind::WrongAmount);
        assert_eq!((&amounts[0]["amount"], &amounts[1]["amount"]), (&600.into(), &0.into()));
        assert_eq!((&amounts[0]["fee"], &amounts[1]["value"]), (&5.into(), &"10.50".into()));
        let currencies = wrong(FaultKind::WrongCurrency);
        assert_eq!(currencies[0]["currency"], "USD");
        assert_eq!(currencies[1]["currency"], "eur");
        let states = wrong(FaultKind::UnknownStatus);
        assert_eq!(states[0]["status"], UNKNOWN_STATE);
        assert!(states[1]["status"].is_null());
        assert_eq!(raised("0.00"), None);
        assert_eq!(raised("12").unwrap(), "13");
    }
}
