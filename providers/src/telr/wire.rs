//! What Telr answers, in four formats, as little of it as we use and tolerantly read.

use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::telr::xml::{self, Element};

/// A text that may come as a number.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Text(pub(super) String);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::String(text) => Ok(Self(text)),
            Value::Number(number) => Ok(Self(number.to_string())),
            Value::Bool(it) => Ok(Self(u8::from(it).to_string())),
            Value::Null => Ok(Self::default()),
            _ => Err(serde::de::Error::custom("neither a text nor a number")),
        }
    }
}

impl Text {
    /// The text, where it says something.
    pub(super) fn said(this: Option<&Self>) -> Option<&str> {
        this.map(|it| it.0.trim()).filter(|text| !text.is_empty())
    }
}

/// An answer of `order.json` and `remote.json`. An error comes with HTTP 200.
#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct Envelope {
    pub(super) method: Option<String>,
    pub(super) trace: Option<Text>,
    pub(super) order: Option<Order>,
    pub(super) transaction: Option<Transaction>,
    pub(super) error: Option<ApiError>,
}

#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct ApiError {
    pub(super) message: Option<Text>,
    pub(super) note: Option<Text>,
}

#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct Order {
    #[serde(rename = "ref")]
    pub(super) reference: Option<Text>,
    pub(super) cartid: Option<Text>,
    pub(super) test: Option<Text>,
    pub(super) amount: Option<Text>,
    pub(super) currency: Option<Text>,
    pub(super) status: Option<OrderStatus>,
    pub(super) transaction: Option<Transaction>,
    pub(super) url: Option<Text>,
}

#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct OrderStatus {
    pub(super) code: Option<Text>,
}

/// A try of an order, or the answer of `remote.json`.
#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct Transaction {
    #[serde(rename = "ref")]
    pub(super) reference: Option<Text>,
    #[serde(rename = "type")]
    pub(super) kind: Option<Text>,
    pub(super) status: Option<Text>,
    pub(super) code: Option<Text>,
    pub(super) message: Option<Text>,
}

/// An order of the newer interface.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct RestOrder {
    #[serde(rename = "ref")]
    pub(super) reference: Text,
    pub(super) status: Text,
    #[serde(rename = "cartId")]
    pub(super) cart: Option<Text>,
    pub(super) amount: Option<RestAmount>,
    #[serde(rename = "_links")]
    pub(super) links: Option<Links>,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct RestAmount {
    pub(super) value: Text,
    pub(super) currency: Text,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Links {
    pub(super) auth: Option<Link>,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Link {
    pub(super) href: Text,
}

/// An error of the newer interface.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct RestError {
    pub(super) code: Option<Text>,
    pub(super) reason: Option<Text>,
}

/// The answer of the remote interface, whichever of its formats it came in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Remote {
    /// The letter.
    pub(super) status: String,
    /// The bank's approval, or the code of the refusal.
    pub(super) code: String,
    pub(super) message: String,
    /// The transaction that was made; zeros where none was.
    pub(super) reference: String,
    /// Our reference, where it is echoed.
    pub(super) cart: Option<String>,
    /// The type, where it is echoed.
    pub(super) kind: Option<String>,
    /// The amount and its currency, where they are told.
    pub(super) amount: Option<(String, String)>,
    /// Whether it was a test, where it is told.
    pub(super) test: Option<String>,
    pub(super) trace: Option<String>,
}

/// Reads an answer of the remote interface: XML, JSON or a form.
///
/// # Errors
/// What is wrong with it. An `error` of the JSON format is an answer, see [`Envelope::error`].
pub(super) fn remote(body: &str) -> Result<Remote, &'static str> {
    if body.trim_start().starts_with('<') {
        return remote_xml(&xml::read(body)?);
    }
    if body.trim_start().starts_with('{') {
        let it: Envelope = serde_json::from_str(body).map_err(|_| "it is no answer in JSON")?;
        return remote_json(it);
    }
    let pairs = form(body).ok_or("it is neither XML nor JSON nor a form")?;
    let get = |name: &str| {
        pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.trim().to_owned())
    };
    Ok(Remote {
        status: get("auth_status").ok_or("it has no status")?,
        code: get("auth_code").unwrap_or_default(),
        message: get("auth_message").unwrap_or_default(),
        reference: get("auth_tranref").unwrap_or_default(),
        cart: get("auth_cartid").filter(|text| !text.is_empty()),
        trace: get("auth_trace"),
        ..Remote::default()
    })
}

fn remote_xml(root: &Element) -> Result<Remote, &'static str> {
    let auth = root.child("auth").filter(|_| root.name == "remote").ok_or("it is no answer")?;
    let text = |name: &str| auth.get(name).unwrap_or_default().to_owned();
    Ok(Remote {
        status: auth.get("status").ok_or("it has no status")?.to_owned(),
        code: text("code"),
        message: text("message"),
        reference: text("tranref"),
        cart: auth.get("cartid").map(ToOwned::to_owned),
        trace: auth.get("trace").map(ToOwned::to_owned),
        ..Remote::default()
    })
}

fn remote_json(it: Envelope) -> Result<Remote, &'static str> {
    let text = |it: &Option<Text>| Text::said(it.as_ref()).unwrap_or_default().to_owned();
    let tran = it.transaction.ok_or("it has no transaction")?;
    Ok(Remote {
        status: Text::said(tran.status.as_ref()).ok_or("it has no status")?.to_owned(),
        code: text(&tran.code),
        message: text(&tran.message),
        reference: text(&tran.reference),
        kind: Text::said(tran.kind.as_ref()).map(ToOwned::to_owned),
        trace: it.trace.map(|it| it.0),
        ..Remote::default()
    })
}

/// A transaction as the Service API tells it. Its fields are published nowhere in full: names
/// that integrators read, and those of the remote interface, are tried in turn.
pub(super) fn transaction(it: &Element) -> Result<Remote, &'static str> {
    let auth = it.child("auth");
    let own = |names: &[&str]| names.iter().find_map(|name| it.get(name));
    let inner = |name: &str| auth.and_then(|auth| auth.get(name)).or_else(|| it.get(name));
    let status = inner("status").ok_or("a transaction has no status")?;
    let reference = own(&["id", "ref", "tranref"]).ok_or("a transaction has no reference")?;
    let amount = it.get("amount").ok_or("a transaction has no amount")?;
    let currency = it.get("currency").ok_or("a transaction has no currency")?;
    let kind = it.get("type").ok_or("a transaction has no type")?;
    Ok(Remote {
        status: status.to_owned(),
        code: inner("code").unwrap_or_default().to_owned(),
        message: inner("message").unwrap_or_default().to_owned(),
        reference: reference.to_owned(),
        cart: own(&["cartid", "cart", "cart_id"]).map(ToOwned::to_owned),
        kind: Some(kind.to_ascii_lowercase()),
        amount: Some((amount.to_owned(), currency.to_owned())),
        test: it.get("test").map(ToOwned::to_owned),
        trace: None,
    })
}

/// What a transaction is described by: our reference, see [`crate::telr`].
pub(super) fn description(it: &Element) -> Option<&str> {
    it.get("description").or_else(|| it.get("desc"))
}

/// The transactions in an answer of the Service API.
///
/// # Errors
/// When it is no list and no transaction: nothing may be concluded from it.
pub(super) fn transactions(body: &str) -> Result<Vec<Element>, &'static str> {
    let root = xml::read(body)?;
    match root.name.as_str() {
        "transaction" => Ok(vec![root]),
        "transactions" | "linked" => Ok(root.all("transaction").into_iter().cloned().collect()),
        _ => Err("it is no list of transactions"),
    }
}

/// Most fields of a form that are read.
const MAX_FIELDS: usize = 200;

/// The pairs of a form, decoded once.
pub(super) fn form(body: &str) -> Option<Vec<(String, String)>> {
    let plain = |b: u8| b.is_ascii_graphic() && b != b'<' && b != b'{';
    let body = body.trim();
    if !body.contains('=') || !body.bytes().all(plain) {
        return None;
    }
    let pairs: Vec<(String, String)> = serde_urlencoded::from_str(body).ok()?;
    (pairs.len() <= MAX_FIELDS).then_some(pairs)
}
