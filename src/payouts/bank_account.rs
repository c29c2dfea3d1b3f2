//! Where a payee is paid: one version of its bank details, checked and masked.

use std::fmt;

use mizan_money::{Currency, Timestamp};
use mizan_providers::ProviderName;

use super::error::{PayoutError, invalid};
use crate::identifiers::{AbaRouting, Bic, Iban, IdentifierError, Ifsc, SortCode, account_number};

/// How a bank is named beside an account number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// India.
    Ifsc,
    /// The USA.
    Aba,
    /// The United Kingdom.
    SortCode,
}

impl Scheme {
    /// The word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ifsc => "ifsc",
            Self::Aba => "aba",
            Self::SortCode => "sort_code",
        }
    }

    /// The scheme of its word.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Ifsc, Self::Aba, Self::SortCode].into_iter().find(|it| it.as_str() == word)
    }

    /// The code of the clearing system in ISO 20022.
    pub const fn clearing_code(self) -> &'static str {
        match self {
            Self::Ifsc => "INFSC",
            Self::Aba => "USABA",
            Self::SortCode => "GBDSC",
        }
    }
}

/// The account itself.
#[derive(Clone, PartialEq, Eq)]
pub enum Number {
    /// An IBAN.
    Iban(String),
    /// An account number, and the bank.
    Local {
        /// The account's number.
        account: String,
        /// How the bank is named.
        scheme: Scheme,
        /// The bank.
        routing: String,
    },
    /// An account at a gateway that pays out.
    Gateway {
        /// The gateway.
        gateway: ProviderName,
        /// What the gateway knows the payee by.
        account: String,
    },
}

impl Number {
    /// The last four characters: what may be shown.
    pub fn last4(&self) -> &str {
        let whole = match self {
            Self::Iban(iban) => iban,
            Self::Local { account, .. } | Self::Gateway { account, .. } => account,
        };
        whole.get(whole.len().saturating_sub(4)..).unwrap_or_default()
    }

    /// What kind of account it is.
    pub const fn scheme(&self) -> &'static str {
        match self {
            Self::Iban(_) => "iban",
            Self::Local { scheme, .. } => scheme.as_str(),
            Self::Gateway { gateway, .. } => gateway.as_str(),
        }
    }
}

impl fmt::Debug for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "…{}", self.last4())
    }
}

/// What a caller says of an account, before it is checked.
#[derive(Debug, Clone, Default)]
pub struct Said<'a> {
    /// Whose account it is.
    pub holder: &'a str,
    /// The holder's town, for banks that want an address.
    pub town: Option<&'a str>,
    /// An IBAN, or the three below.
    pub iban: Option<&'a str>,
    /// An account number.
    pub account_number: Option<&'a str>,
    /// The bank, in one of the three schemes.
    pub routing: Option<(Scheme, &'a str)>,
    /// A gateway, and the payee's account there.
    pub gateway: Option<(&'a str, &'a str)>,
    /// The bank as BIC.
    pub bic: Option<&'a str>,
    /// ISO 3166.
    pub country: &'a str,
    /// The account's currency.
    pub currency: &'a str,
}

/// Details that were checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Details {
    /// Whose account it is.
    pub holder: String,
    /// The holder's town.
    pub town: Option<String>,
    /// The account.
    pub number: Number,
    /// The bank as BIC.
    pub bic: Option<String>,
    /// ISO 3166.
    pub country: String,
    /// The account's currency.
    pub currency: Currency,
}

/// One version of a payee's bank details.
#[derive(Debug, Clone)]
pub struct BankAccount {
    /// Counts from 1.
    pub version: i32,
    /// The details.
    pub details: Details,
    /// When they were given.
    pub created_at: Timestamp,
    /// When somebody verified that the account is the payee's.
    pub verified_at: Option<Timestamp>,
    /// Why nothing is paid there any more.
    pub blocked: Option<String>,
}

impl Said<'_> {
    /// Checks every part.
    ///
    /// # Errors
    /// The field, with the check that failed.
    pub fn check(&self) -> Result<Details, PayoutError> {
        let holder = self.holder.trim();
        // What a table would take for a formula is nobody's name.
        let plain = holder.starts_with(char::is_alphanumeric) && !holder.contains(char::is_control);
        if !(1..=140).contains(&holder.chars().count()) || !plain {
            let message = "A holder has 1 to 140 characters and begins with a letter or a digit.";
            return Err(invalid("holder", message));
        }
        let town = self.town.map(str::trim);
        let fits =
            |it: &str| (1..=35).contains(&it.chars().count()) && !it.contains(char::is_control);
        if town.is_some_and(|it| !fits(it)) {
            return Err(invalid("town", "A town has 1 to 35 characters."));
        }
        if self.country.len() != 2 || !self.country.bytes().all(|b| b.is_ascii_uppercase()) {
            let message = "A country is two upper-case letters of ISO 3166, such as AE.";
            return Err(invalid("country", message));
        }
        let currency = Currency::parse(self.currency)
            .map_err(|error| invalid("currency", error.to_string()))?;
        let wrong = |param| move |error: IdentifierError| invalid(param, sentence(&error));
        let bic = self.bic.map(Bic::parse).transpose().map_err(wrong("bic"))?;
        Ok(Details {
            holder: holder.to_owned(),
            town: town.map(str::to_owned),
            number: self.number()?,
            bic: bic.map(|it| it.as_str().to_owned()),
            country: self.country.to_owned(),
            currency,
        })
    }

    fn number(&self) -> Result<Number, PayoutError> {
        let wrong = |param| move |error: IdentifierError| invalid(param, sentence(&error));
        if let Some((gateway, account)) = self.gateway {
            return match (self.iban, self.account_number, self.routing) {
                (None, None, None) => at_gateway(gateway, account),
                _ => Err(invalid("gateway", "An account is at a bank or at a gateway, not both.")),
            };
        }
        match (self.iban, self.account_number, self.routing) {
            (Some(iban), None, None) => {
                let iban = Iban::parse(iban).map_err(wrong("iban"))?;
                if iban.country() != self.country {
                    let message = format!(
                        "The IBAN is of {} and `country` says {}: one of them is wrong.",
                        iban.country(),
                        self.country
                    );
                    return Err(invalid("iban", message));
                }
                Ok(Number::Iban(iban.as_str().to_owned()))
            }
            (None, Some(account), Some((scheme, routing))) => {
                let param = scheme.as_str();
                let (routing, digits) = match scheme {
                    Scheme::Ifsc => (Ifsc::parse(routing).map(|it| it.as_str().to_owned()), None),
                    Scheme::Aba => {
                        (AbaRouting::parse(routing).map(|it| it.as_str().to_owned()), None)
                    }
                    Scheme::SortCode => {
                        (SortCode::parse(routing).map(|it| it.as_str().to_owned()), Some(8))
                    }
                };
                let routing = routing.map_err(wrong(param))?;
                let account = account_number(account, digits).map_err(wrong("account_number"))?;
                Ok(Number::Local { account, scheme, routing })
            }
            _ => {
                let message = "Name an `iban`; or an `account_number` with one of `ifsc`, `aba`, \
                               `sort_code`; or a `gateway` with a `gateway_account`.";
                Err(invalid("iban", message))
            }
        }
    }
}

/// An account at a gateway, held to the form that the gateway documents.
fn at_gateway(gateway: &str, account: &str) -> Result<Number, PayoutError> {
    let letters = |text: &str| {
        (4..=60).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric())
    };
    let after = |prefix: &str| account.strip_prefix(prefix).is_some_and(letters);
    let (fits, form) = match gateway.parse() {
        Ok(ProviderName::Stripe) => (after("acct_"), "a connected account, `acct_…`"),
        Ok(ProviderName::Razorpay) => (after("fa_"), "a fund account, `fa_…`"),
        Ok(ProviderName::Paypal) => {
            let plain = |c: char| c.is_ascii_graphic();
            let address = account.split_once('@').is_some_and(|(name, host)| {
                !name.is_empty() && host.contains('.') && account.chars().all(plain)
            });
            let fits = account.len() <= 127 && (address || letters(account));
            (fits, "an e-mail address or an account's id")
        }
        _ => {
            let message = "Gateways that pay out are `stripe`, `razorpay` and `paypal`.";
            return Err(invalid("gateway", message));
        }
    };
    match gateway.parse() {
        Ok(gateway) if fits => Ok(Number::Gateway { gateway, account: account.to_owned() }),
        _ => Err(invalid("gateway_account", format!("At {gateway} it is {form}."))),
    }
}

/// The reason as a sentence.
fn sentence(error: &IdentifierError) -> String {
    let text = error.to_string();
    let mut letters = text.chars();
    let first = letters.next().map(|c| c.to_ascii_uppercase());
    first.into_iter().chain(letters).chain(['.']).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const FINE: Said<'_> = Said {
        holder: "Vendor LLC",
        town: None,
        iban: Some("AE07 0331 2345 6789 0123 456"),
        account_number: None,
        routing: None,
        gateway: None,
        bic: Some("EBILAEAD"),
        country: "AE",
        currency: "AED",
    };

    fn at<'a>(gateway: &'a str, account: &'a str) -> Said<'a> {
        Said { iban: None, bic: None, gateway: Some((gateway, account)), ..FINE }
    }

    #[test]
    fn details_are_checked_and_never_shown_whole() {
        let details = FINE.check().unwrap();
        assert_eq!(details.number.last4(), "3456");
        assert!(!format!("{details:?}").contains("0331"));
        let local = Said {
            iban: None,
            account_number: Some("1234 5678 90"),
            routing: Some((Scheme::Ifsc, "HDFC0001234")),
            country: "IN",
            ..FINE
        };
        assert_eq!(local.check().unwrap().number.last4(), "7890");
        for (gateway, account) in [
            ("stripe", "acct_1Abc"),
            ("razorpay", "fa_00000000000001"),
            ("paypal", "v@shop.example"),
        ] {
            assert_eq!(at(gateway, account).check().unwrap().number.scheme(), gateway);
        }
    }

    #[test]
    fn a_refusal_names_the_field_and_the_check() {
        let cases = [
            (Said { iban: Some("AE080331234567890123456"), ..FINE }, "iban", "should be 07"),
            (Said { country: "SA", ..FINE }, "iban", "is of AE"),
            (Said { iban: None, ..FINE }, "iban", "Name an `iban`"),
            (Said { bic: Some("X"), ..FINE }, "bic", "must have 8"),
            (Said { country: "uae", ..FINE }, "country", "ISO 3166"),
            (Said { currency: "DHS", ..FINE }, "currency", "ISO 4217"),
            (Said { holder: " ", ..FINE }, "holder", "1 to 140"),
            (Said { holder: "=1+1", ..FINE }, "holder", "begins with a letter"),
            (Said { gateway: Some(("paypal", "x@y.example")), ..FINE }, "gateway", "not both"),
            (at("telr", "x"), "gateway", "that pay out"),
            (at("razorpay", "acct_12345"), "gateway_account", "`fa_…`"),
            (at("paypal", "x@y"), "gateway_account", "e-mail"),
        ];
        for (said, field, text) in cases {
            match said.check() {
                Err(PayoutError::Invalid { param, message }) => {
                    assert!(param == field && message.contains(text), "{param}: {message}");
                }
                other => assert!(other.is_err(), "{field}: {other:?}"),
            }
        }
    }
}
