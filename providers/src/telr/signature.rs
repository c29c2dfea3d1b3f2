//! The check values of Telr's messages: SHA-1 over a secret and the values, joined by colons.
//!
//! Three families, told apart by their fields: the advice of a transaction, the callback of an
//! order, and what is said of agreements and accounts (docs.telr.com, webhook; the OpenCart
//! plug-in for the callback). The scheme is weak: SHA-1 with the secret in front, no time, and
//! `a:b` with `c` is `a` with `b:c`. So a colon is refused in every value that is not free text,
//! no message is more than a hint, and a message that comes again has the same name.
//!
//! `card_check` and `bill_check` cover fields that nothing here reads.

use secrecy::{ExposeSecret, SecretString};
use sha1::{Digest, Sha1};
use subtle::ConstantTimeEq;

use crate::error::VerifyError;
use crate::event::VerifiedDelivery;
use crate::signature::{check_body, digest_id};
use crate::telr::status;
use crate::telr::wire;

/// Longest value that is looked at, in bytes.
const MAX_VALUE: usize = 4096;

/// Which message it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    /// The advice of a transaction.
    Advice,
    /// The callback of an order, made for the page that named an address.
    Callback,
    /// What is said of an agreement.
    Agreement,
    /// What is said of an account: its payouts.
    Account,
}

/// What is signed, in order. `tran_order` is left out where the field is not there; any other
/// that is missing counts as empty.
const ADVICE: &[&str] = &[
    "tran_store",
    "tran_type",
    "tran_class",
    "tran_test",
    "tran_ref",
    "tran_prevref",
    "tran_firstref",
    "tran_order",
    "tran_currency",
    "tran_amount",
    "tran_cartid",
    "tran_desc",
    "tran_status",
    "tran_authcode",
    "tran_authmessage",
];
const CALLBACK: &[&str] = &[
    "tran_store",
    "tran_cartid",
    "tran_order",
    "tran_ref",
    "tran_type",
    "tran_authstatus",
    "tran_authcode",
    "tran_authmessage",
    "tran_currency",
    "tran_amount",
];
const AGREEMENT: &[&str] = &[
    "type",
    "agreement_id",
    "action",
    "cancellation_reason",
    "cancellation_document_received",
    "email_id",
    "store_id",
    "change_by",
    "timestamp",
];
const ACCOUNT: &[&str] = &[
    "type",
    "action",
    "account_id",
    "store_id",
    "payout_id",
    "amount",
    "currency",
    "date",
    "payout_interval",
    "payout_fee",
];
/// Values that may hold a colon: people's words and times.
const FREE: &[&str] =
    &["tran_desc", "tran_authmessage", "cancellation_reason", "change_by", "timestamp", "date"];

impl Family {
    const fn fields(self) -> (&'static [&'static str], &'static str) {
        match self {
            Self::Advice => (ADVICE, "tran_check"),
            Self::Callback => (CALLBACK, "tran_check"),
            Self::Agreement => (AGREEMENT, "agreement_check"),
            Self::Account => (ACCOUNT, "account_check"),
        }
    }
}

/// A message, read once.
pub(super) struct Message {
    pub(super) family: Family,
    pairs: Vec<(String, String)>,
}

impl Message {
    /// Reads a body.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn read(body: &[u8]) -> Result<Self, &'static str> {
        let text = std::str::from_utf8(body).map_err(|_| "it is no text")?;
        let pairs = wire::form(text).ok_or("it is no form")?;
        let mut names: Vec<&str> = pairs.iter().map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        if names.windows(2).any(|two| matches!(two, [a, b] if a == b)) {
            return Err("a field is there more than once");
        }
        if pairs.iter().any(|(_, value)| value.len() > MAX_VALUE) {
            return Err("a field is longer than 4096 bytes");
        }
        let has = |name: &str| pairs.iter().any(|(key, _)| key == name);
        let family = match [
            has("tran_status"),
            has("tran_authstatus"),
            has("agreement_check"),
            has("account_check"),
        ] {
            [true, false, false, false] => Family::Advice,
            [false, true, false, false] => Family::Callback,
            [false, false, true, false] => Family::Agreement,
            [false, false, false, true] => Family::Account,
            _ => return Err("it is none of Telr's messages, or several"),
        };
        let (fields, _) = family.fields();
        let odd = |(name, value): &(String, String)| {
            let name = name.as_str();
            fields.contains(&name) && !FREE.contains(&name) && value.contains(':')
        };
        if pairs.iter().any(odd) {
            return Err("a field holds a colon that cannot");
        }
        Ok(Self { family, pairs })
    }

    /// A field, blanks around it left out; nothing where it is missing or empty.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.raw(name).map(str::trim).filter(|text| !text.is_empty())
    }

    fn raw(&self, name: &str) -> Option<&str> {
        self.pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The type of its transaction in words, in small letters; a number of the callback that is
    /// not known stays one.
    pub(super) fn kind(&self) -> String {
        let told = self.get("tran_type").unwrap_or_default().to_ascii_lowercase();
        match self.family {
            Family::Callback => status::callback_type(&told).map_or(told, ToOwned::to_owned),
            _ => told,
        }
    }

    /// The letter of its transaction.
    pub(super) fn letter(&self) -> &str {
        let name = if self.family == Family::Callback { "tran_authstatus" } else { "tran_status" };
        self.get(name).unwrap_or_default()
    }

    /// What a message is known by when it comes again, in whichever of the two families.
    pub(super) fn name(&self, body: &[u8]) -> String {
        let about_tran = matches!(self.family, Family::Advice | Family::Callback);
        match self.get("tran_ref").filter(|it| about_tran && it.len() <= 64) {
            Some(tran) => {
                let kind: String = self.kind().chars().take(40).collect();
                let letter: String = self.letter().chars().take(10).collect();
                format!("telr:{tran}:{kind}:{letter}")
            }
            None => digest_id(body),
        }
    }

    /// Whether a check value fits a secret.
    fn fits(&self, secret: &SecretString, check: &[u8]) -> bool {
        let secret = secret.expose_secret();
        let (fields, _) = self.family.fields();
        let mut hash = Sha1::new();
        hash.update(secret.as_bytes());
        for name in fields {
            let value = self.raw(name);
            if value.is_none() && self.family == Family::Advice && *name == "tran_order" {
                continue;
            }
            let value = value.unwrap_or_default();
            let value = if self.family == Family::Callback { value.trim() } else { value };
            hash.update(b":");
            hash.update(value.as_bytes());
        }
        !secret.is_empty() && bool::from(hash.finalize().as_slice().ct_eq(check))
    }
}

/// Decides whether a message is Telr's. The connection's own key of the hosted page signs
/// callbacks and is tried last; its place is the one after the given secrets.
pub(super) fn verify(
    body: &[u8],
    secrets: &[SecretString],
    page_key: Option<&SecretString>,
) -> Result<VerifiedDelivery, VerifyError> {
    if secrets.is_empty() && page_key.is_none() {
        return Err(VerifyError::NoSecrets);
    }
    check_body(body)?;
    let message = Message::read(body).map_err(|problem| VerifyError::MalformedBody { problem })?;
    let (_, name) = message.family.fields();
    let check = message.get(name).filter(|it| it.len() == 40).and_then(|it| hex::decode(it).ok());
    let problem = "its check value is not 40 hexadecimal digits";
    let check = check.ok_or(VerifyError::MalformedBody { problem })?;
    let own = page_key.filter(|_| message.family == Family::Callback);
    let secret_index = secrets
        .iter()
        .chain(own)
        .position(|secret| message.fits(secret, &check))
        .ok_or(VerifyError::NoMatch)?;
    Ok(VerifiedDelivery { dedupe_id: message.name(body), signed_at: None, secret_index })
}
