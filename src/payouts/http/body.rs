//! What a caller sends about payees, checked at the door.

use std::collections::BTreeMap;
use std::fmt;

use mizan_money::Timestamp;
use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer};
use utoipa::ToSchema;

use super::{amount, currency, rail, text};
use crate::payouts::bank_account::{Details, Said, Scheme};
use crate::payouts::create::NewPayout;
use crate::payouts::error::{PayoutError, invalid};
use crate::payouts::kyc::{Document, KycStatus};
use crate::payouts::terms::{Schedule, Terms};

/// Where a payee is paid. Account numbers are shown nowhere again.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = NewBankAccount)]
pub(super) struct BankAccountBody {
    /// Whose account it is, as its bank knows the name.
    #[schema(min_length = 1, max_length = 140)]
    holder: String,
    /// The holder's town, for banks that want an address.
    #[schema(max_length = 35)]
    town: Option<String>,
    /// An IBAN; or an account number with a routing code.
    iban: Option<String>,
    /// An account number, with one of the three codes.
    account_number: Option<String>,
    /// The bank in India.
    ifsc: Option<String>,
    /// The bank in the USA.
    aba: Option<String>,
    /// The bank in the United Kingdom.
    sort_code: Option<String>,
    /// Any of the three codes, told apart by the country.
    routing: Option<String>,
    /// The bank as BIC.
    bic: Option<String>,
    /// Instead of a bank: `stripe`, `razorpay` or `paypal`, where the payee has an account.
    gateway: Option<String>,
    /// That account: `acct_…`, `fa_…`, an e-mail address or an account's id.
    gateway_account: Option<String>,
    /// ISO 3166 alpha-2.
    #[schema(example = "AE")]
    country: String,
    /// The account's currency, ISO 4217.
    #[schema(example = "AED")]
    currency: String,
}

impl BankAccountBody {
    pub(super) fn check(&self) -> Result<Details, PayoutError> {
        let by_country = match self.country.as_str() {
            "IN" => Some(Scheme::Ifsc),
            "US" => Some(Scheme::Aba),
            "GB" => Some(Scheme::SortCode),
            _ => None,
        };
        let named = [
            (Some(Scheme::Ifsc), &self.ifsc),
            (Some(Scheme::Aba), &self.aba),
            (Some(Scheme::SortCode), &self.sort_code),
            (by_country, &self.routing),
        ];
        if self.routing.is_some() && by_country.is_none() {
            let message = "Name the bank as `ifsc`, `aba` or `sort_code`.";
            return Err(invalid("routing", message));
        }
        let mut codes =
            named.iter().filter_map(|(scheme, code)| Some(((*scheme)?, code.as_deref()?)));
        let routing = codes.next();
        if codes.next().is_some() {
            return Err(invalid("routing", "Name the bank by one code."));
        }
        let gateway = match (self.gateway.as_deref(), self.gateway_account.as_deref()) {
            (None, None) => None,
            (Some(gateway), Some(account)) => Some((gateway, account)),
            _ => return Err(invalid("gateway", "A gateway and the account there go together.")),
        };
        let said = Said {
            holder: &self.holder,
            town: self.town.as_deref(),
            iban: self.iban.as_deref(),
            account_number: self.account_number.as_deref(),
            routing,
            gateway,
            bic: self.bic.as_deref(),
            country: &self.country,
            currency: &self.currency,
        };
        said.check()
    }
}

/// News of who a payee is.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = NewKyc)]
pub(super) struct KycBody {
    /// Where the checks stand.
    pub(super) status: KycStatus,
    /// When that was true; else now. The newest by this time counts, whenever it comes.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub(super) occurred_at: Option<Timestamp>,
    /// On which documents it stands, at most 50.
    #[serde(default)]
    pub(super) documents: Vec<Document>,
}

impl KycBody {
    pub(super) fn check(&self, now: Timestamp) -> Result<Timestamp, PayoutError> {
        if self.documents.len() > 50 {
            return Err(invalid("documents", "There are at most 50 documents."));
        }
        for document in &self.documents {
            text("documents", &document.kind, 60)?;
            text("documents", &document.reference, 200)?;
        }
        let at = self.occurred_at.unwrap_or(now);
        match at <= now {
            true => Ok(at),
            false => Err(invalid("occurred_at", "News is of now or of a time that has been.")),
        }
    }
}

/// On which terms a payee is paid.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = NewPayoutTerms)]
pub(super) struct TermsBody {
    /// `manual`, `daily`, `weekly` or `monthly`.
    #[schema(example = "weekly")]
    schedule: String,
    /// Of a weekly schedule: 1 to 7, Monday being 1, or its name.
    #[serde(default, deserialize_with = "weekday")]
    #[schema(value_type = Option<u8>, minimum = 1, maximum = 7)]
    weekday: Option<u8>,
    /// Of a monthly schedule: 1 to 31; the last day of a month that is shorter.
    #[schema(minimum = 1, maximum = 31)]
    day: Option<u8>,
    /// From how much on, in minor units by currency.
    #[serde(default)]
    minimum: BTreeMap<String, i64>,
    /// In which currency; else the balance's own.
    currency: Option<String>,
    /// `bank`, `wire` or another word of yours; or a gateway.
    #[serde(default = "bank")]
    #[schema(default = "bank")]
    rail: String,
}

fn bank() -> String {
    "bank".to_owned()
}

/// A number, or the name of a day.
fn weekday<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u8>, D::Error> {
    struct Day;

    impl Visitor<'_> for Day {
        type Value = Option<u8>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a day of the week, 1 to 7 or its name")
        }

        fn visit_u64<E: Error>(self, number: u64) -> Result<Self::Value, E> {
            u8::try_from(number).map(Some).map_err(E::custom)
        }

        fn visit_str<E: Error>(self, name: &str) -> Result<Self::Value, E> {
            let day: chrono::Weekday =
                name.parse().map_err(|_| E::custom("expected a day of the week"))?;
            u8::try_from(day.number_from_monday()).map(Some).map_err(E::custom)
        }

        fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
            Ok(None)
        }
    }

    deserializer.deserialize_any(Day)
}

impl TermsBody {
    pub(super) fn check(&self) -> Result<Terms, PayoutError> {
        let schedule = Schedule::of(&self.schedule, self.weekday, self.day).ok_or_else(|| {
            let message = "A schedule is `manual`, `daily`, `weekly` with a `weekday`, or \
                           `monthly` with a `day`.";
            invalid("schedule", message)
        })?;
        for (code, minor) in &self.minimum {
            currency("minimum", code)?;
            amount("minimum", *minor, 0)?;
        }
        let pay = self.currency.as_deref().map(|code| currency("currency", code)).transpose()?;
        let rail = rail(&self.rail)?;
        Ok(Terms { schedule, minimum: self.minimum.clone(), pay_currency: pay, rail })
    }
}

/// A payout to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = NewPayout)]
pub(super) struct PayoutBody {
    /// Whose money: a vendor's, or an affiliate's.
    vendor: Option<String>,
    /// Whose money: an affiliate's, or a vendor's.
    affiliate: Option<String>,
    /// From which balance, ISO 4217.
    #[schema(example = "AED")]
    currency: String,
    /// How much, in minor units; else all that is available.
    #[schema(minimum = 1)]
    amount: Option<i64>,
    /// How: `bank`, `wire` or another word of yours, or a gateway; else as the terms say.
    rail: Option<String>,
    /// What the payee receives, ISO 4217; else as the terms say, else `currency`.
    pay_currency: Option<String>,
    /// Units of `currency` for one `pay_currency`; else the newest that is stored.
    #[schema(example = "3.7100")]
    rate: Option<String>,
    /// Who says so.
    rate_source: Option<String>,
}

impl PayoutBody {
    pub(super) fn check(&self) -> Result<NewPayout, PayoutError> {
        let payee = super::payee::one_of(self.vendor.as_deref(), self.affiliate.as_deref())?;
        let pay = self.pay_currency.as_deref().map(|code| currency("pay_currency", code));
        Ok(NewPayout {
            payee: payee.ok_or_else(|| invalid("vendor", "Name a `vendor` or an `affiliate`."))?,
            currency: currency("currency", &self.currency)?,
            asked: self.amount.map(|minor| amount("amount", minor, 1)).transpose()?,
            rail: self.rail.as_deref().map(rail).transpose()?,
            pay_currency: pay.transpose()?,
            rate: super::rate(self.rate.as_deref(), self.rate_source.as_deref())?,
            retry_of: None,
            run: None,
        })
    }
}
