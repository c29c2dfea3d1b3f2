//! Payees as the interface shows them: their accounts masked.

use chrono::{NaiveDate, TimeDelta};
use mizan_ledger::postings::Payee;
use mizan_money::{Currency, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

use super::names;
use crate::app::App;
use crate::http::Problem;
use crate::payouts::bank_account::BankAccount;
use crate::payouts::kyc::{Document, Kyc};
use crate::payouts::terms::Terms;

/// A payee's bank details, masked.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = BankAccount)]
pub(in crate::payouts::http) struct BankAccountView {
    /// Always `bank_account`.
    object: &'static str,
    /// Of this vendor.
    vendor: Option<String>,
    /// Of this affiliate.
    affiliate: Option<String>,
    /// Counts from 1; a change is a new version.
    version: i32,
    /// Whose account it is.
    holder: String,
    /// `iban`, `ifsc`, `aba` or `sort_code`; or the gateway where it is.
    scheme: &'static str,
    /// The last four characters of the account.
    last4: String,
    /// ISO 3166.
    country: String,
    /// ISO 4217.
    currency: &'static str,
    /// When these details were given.
    #[schema(value_type = String, format = DateTime)]
    created: Timestamp,
    /// When somebody verified that they are the payee's.
    #[schema(value_type = Option<String>, format = DateTime)]
    verified_at: Option<Timestamp>,
    /// From when on something is paid to them.
    #[schema(value_type = Option<String>, format = DateTime)]
    payable_from: Option<Timestamp>,
    /// Why nothing is paid to them any more.
    blocked: Option<String>,
}

impl BankAccountView {
    pub(in crate::payouts::http) fn of(
        app: &App,
        payee: &Payee,
        account: Option<BankAccount>,
    ) -> Result<Self, Problem> {
        let account = account.ok_or_else(Problem::not_found)?;
        let (vendor, affiliate) = names(payee);
        let cooling = TimeDelta::hours(app.config.payouts.cooling_hours.into());
        let scheme = account.details.number.scheme();
        Ok(Self {
            object: "bank_account",
            vendor,
            affiliate,
            version: account.version,
            scheme,
            last4: account.details.number.last4().to_owned(),
            holder: account.details.holder,
            country: account.details.country,
            currency: account.details.currency.code(),
            created: account.created_at,
            verified_at: account.verified_at,
            payable_from: account.created_at.checked_add_signed(cooling),
            blocked: account.blocked,
        })
    }
}

/// Who a payee is, as far as it is known.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Kyc)]
pub(in crate::payouts::http) struct KycView {
    /// Always `kyc`.
    object: &'static str,
    /// Of this vendor.
    vendor: Option<String>,
    /// Of this affiliate.
    affiliate: Option<String>,
    /// What the newest news comes to today; `none` where there is no news.
    status: &'static str,
    /// When the newest news was true.
    #[schema(value_type = Option<String>, format = DateTime)]
    occurred_at: Option<Timestamp>,
    /// On which documents it stands.
    documents: Vec<Document>,
}

impl KycView {
    pub(in crate::payouts::http) fn of(payee: &Payee, kyc: Option<Kyc>, today: NaiveDate) -> Self {
        let (vendor, affiliate) = names(payee);
        Self {
            object: "kyc",
            vendor,
            affiliate,
            status: kyc.as_ref().map_or("none", |it| it.on(today).as_str()),
            occurred_at: kyc.as_ref().map(|it| it.occurred_at),
            documents: kyc.map(|it| it.documents).unwrap_or_default(),
        }
    }
}

/// On which terms a payee is paid.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PayoutTerms)]
pub(in crate::payouts::http) struct TermsView {
    /// Always `payout_terms`.
    object: &'static str,
    /// Of this vendor.
    vendor: Option<String>,
    /// Of this affiliate.
    affiliate: Option<String>,
    /// `manual`, `daily`, `weekly` or `monthly`.
    schedule: &'static str,
    /// Monday is 1.
    weekday: Option<u8>,
    /// The day of the month.
    day: Option<u8>,
    /// From how much on, in minor units by currency.
    minimum: std::collections::BTreeMap<String, i64>,
    /// In which currency; null: the balance's own.
    currency: Option<&'static str>,
    /// How.
    rail: String,
}

impl TermsView {
    pub(in crate::payouts::http) fn of(payee: &Payee, terms: &Terms) -> Self {
        let (vendor, affiliate) = names(payee);
        Self {
            object: "payout_terms",
            vendor,
            affiliate,
            schedule: terms.schedule.word(),
            weekday: terms.schedule.weekday(),
            day: terms.schedule.month_day(),
            minimum: terms.minimum.clone(),
            currency: terms.pay_currency.map(Currency::code),
            rail: terms.rail.clone(),
        }
    }
}

/// Why nothing is paid to a payee for now.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PayoutBlocks)]
pub(in crate::payouts::http) struct BlocksView {
    /// Always `payout_blocks`.
    object: &'static str,
    /// Of this vendor.
    vendor: Option<String>,
    /// Of this affiliate.
    affiliate: Option<String>,
    /// The reasons that hold payouts back.
    open: Vec<String>,
}

impl BlocksView {
    pub(in crate::payouts::http) fn of(payee: &Payee, open: Vec<String>) -> Self {
        let (vendor, affiliate) = names(payee);
        Self { object: "payout_blocks", vendor, affiliate, open }
    }
}
