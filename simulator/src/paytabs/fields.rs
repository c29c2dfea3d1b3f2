//! Reading what a caller sent.

use std::net::IpAddr;

use mizan_money::{Currency, parse_amount};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::error::Error;
use crate::bank::record::Metadata;
use crate::bank::request::Request;

const CART_ID_MAX: usize = 64;
const DESCRIPTION_MAX: usize = 128;
const ADDRESS_MAX: usize = 255;
/// The largest amount in hundredths of the major unit; the smallest is one hundredth.
const LARGEST_HUNDREDTHS: i64 = 999_999_999_999;

/// What PayTabs takes, by its documentation.
const CURRENCIES: &[&str] = &[
    "SAR", "AED", "BHD", "EGP", "EUR", "GBP", "HKD", "IDR", "INR", "IQD", "JOD", "JPY", "KWD",
    "MAD", "OMR", "PKR", "QAR", "USD",
];

/// The fields of a JSON body.
pub struct Fields {
    all: Map<String, Value>,
    /// As it was written: a number that went through a binary float shows.
    amount: Option<String>,
}

#[derive(Deserialize)]
struct Written<'a> {
    #[serde(borrow)]
    cart_amount: Option<&'a RawValue>,
}

impl Fields {
    /// Reads the body.
    pub fn read(request: &Request) -> Result<Self, Error> {
        let Some(Value::Object(all)) = request.json() else {
            return Err(Error::field("the body: it is not a JSON object"));
        };
        let written = serde_json::from_slice::<Written<'_>>(&request.body);
        let amount = written.ok().and_then(|written| written.cart_amount);
        let amount = amount.map(|amount| amount.get().trim_matches('"').to_owned());
        Ok(Self { all, amount })
    }

    /// A field that is there and not null.
    pub fn value(&self, name: &str) -> Option<&Value> {
        self.all.get(name).filter(|value| !value.is_null())
    }

    /// A text, or a number as text; empty text is nothing.
    pub fn text(&self, name: &str) -> Option<String> {
        match self.value(name)? {
            Value::String(text) => Some(text.clone()).filter(|text| !text.is_empty()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        }
    }

    /// A text that must be there, and not be longer than so many characters.
    pub fn required(&self, name: &str, most: usize) -> Result<String, Error> {
        let text = self.text(name).filter(|text| text.chars().count() <= most);
        text.ok_or_else(|| Error::field(name))
    }

    /// A word in lower case, one of these.
    pub fn word(&self, name: &str, words: &[&'static str]) -> Result<&'static str, Error> {
        let given = self.text(name).unwrap_or_default().to_ascii_lowercase();
        words.iter().find(|word| **word == given).copied().ok_or_else(|| Error::field(name))
    }

    /// Whether a switch is on.
    pub fn is_on(&self, name: &str) -> bool {
        self.value(name).and_then(Value::as_bool).unwrap_or_default()
    }

    /// The words of a list; none is an empty one.
    pub fn words(&self, name: &str) -> Vec<String> {
        let items = self.value(name).and_then(Value::as_array);
        items.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
    }

    /// The shop's own fields, `udf1` and so on.
    pub fn user_defined(&self) -> Metadata {
        let fields = self.value("user_defined").and_then(Value::as_object);
        let texts = fields.into_iter().flatten().filter_map(|(name, value)| {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            (!value.is_null()).then(|| (name.clone(), text))
        });
        texts.collect()
    }

    /// Where the result of this request goes. PayTabs wants public HTTPS without a port; a
    /// loopback address is what the simulator serves, and the only one it ever sends to.
    pub fn callback(&self) -> Result<Option<String>, Error> {
        let Some(text) = self.text("callback") else { return Ok(None) };
        let refused = || Error::field("callback");
        let url = reqwest::Url::parse(&text).map_err(|_| refused())?;
        if text.len() > ADDRESS_MAX {
            return Err(refused());
        }
        match is_loopback(&url) {
            true => Ok(Some(text)),
            false if url.scheme() == "https" && url.port().is_none() => Ok(None),
            false => Err(refused()),
        }
    }

    /// Where the browser goes back to: HTTPS, or a loopback address.
    pub fn back(&self) -> Result<Option<String>, Error> {
        let Some(text) = self.text("return") else { return Ok(None) };
        let url = reqwest::Url::parse(&text).map_err(|_| Error::field("return"))?;
        match url.scheme() == "https" || is_loopback(&url) {
            true => Ok(Some(text)),
            false => Err(Error::field("return")),
        }
    }

    fn currency(&self) -> Result<Currency, Error> {
        let code = self.required("cart_currency", 3)?.to_ascii_uppercase();
        let known = CURRENCIES.contains(&code.as_str());
        Currency::parse(&code).ok().filter(|_| known).ok_or_else(Error::currency)
    }

    /// A number in major units. Text is taken too, and so are zeros beyond the currency's
    /// decimals, since PayTabs' own modules send three decimals for every currency.
    fn amount(&self, currency: Currency) -> Result<i64, Error> {
        let refused = || Error::field("cart_amount");
        let text = self.amount.as_deref().ok_or_else(refused)?;
        let text = match text.split_once('.') {
            None => text.to_owned(),
            Some((major, decimals)) => match decimals.trim_end_matches('0') {
                "" => major.to_owned(),
                decimals => format!("{major}.{decimals}"),
            },
        };
        let minor = parse_amount(&text, currency).map_err(|_| refused())?.minor();
        let per_major = i128::from(currency.minor_per_major());
        let hundredths = per_major..=i128::from(LARGEST_HUNDREDTHS) * per_major;
        match hundredths.contains(&(i128::from(minor) * 100)) {
            true => Ok(minor),
            false => Err(refused()),
        }
    }
}

/// `http` or `https` to this machine.
fn is_loopback(url: &reqwest::Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    let is_local = host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
    is_local && matches!(url.scheme(), "http" | "https")
}

/// What is paid for, in a payment and in every follow-up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cart {
    /// The shop's own reference.
    pub id: String,
    /// What it is.
    pub description: String,
    /// Minor units.
    pub amount: i64,
    /// Its currency.
    pub currency: Currency,
}

impl Cart {
    /// Reads it.
    pub fn read(fields: &Fields) -> Result<Self, Error> {
        let currency = fields.currency()?;
        Ok(Self {
            id: fields.required("cart_id", CART_ID_MAX)?,
            description: fields.required("cart_description", DESCRIPTION_MAX)?,
            amount: fields.amount(currency)?,
            currency,
        })
    }
}
