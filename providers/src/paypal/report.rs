//! Settlement lines: the report of what moved the balance, by the API a page at a time.
//!
//! Money stays on the balance at PayPal until it is withdrawn, so a line is a movement and the
//! bank's own line is the withdrawal. Transaction ids repeat; a line is named by its id, event
//! code, status and time.

use chrono::{SecondsFormat, TimeDelta};
use mizan_money::{Money, Timestamp};

use crate::error::BuildError;
use crate::model::ProviderRef;
use crate::paypal::facts::{FactError, amount, payment_id};
use crate::paypal::{status, wire};
use crate::settlement::{ListSettlement, SettlementLine, SettlementPage};

/// The longest span of one question, in days (reporting/v1).
const MAX_DAYS: i64 = 31;
/// Rows of a page: few enough that a page stays within what the client reads.
const PAGE_SIZE: &str = "250";
/// The most pages that are asked for; PayPal refuses more than 10 000 rows itself.
const MAX_PAGE: u32 = 1000;

/// The query of a page.
///
/// # Errors
/// When the span is not one PayPal answers for, or a settlement is asked for: there are none.
pub(super) fn query(it: &ListSettlement) -> Result<String, BuildError> {
    let refuse = |field, problem| Err(BuildError::Field { field, problem });
    if it.settlement.is_some() {
        let what = "the lines of one settlement: money leaves its balance by withdrawals";
        return Err(BuildError::Unsupported { provider: "paypal", what });
    }
    let Some(last) = it.to.checked_sub_signed(TimeDelta::seconds(1)) else {
        return refuse("to", "it is before all time");
    };
    let span = it.to.signed_duration_since(it.from);
    if span < TimeDelta::seconds(1) || span > TimeDelta::days(MAX_DAYS) {
        return refuse("to", "a span of the report is at most 31 days and not empty");
    }
    let page: u32 = match it.page.as_deref().map(str::parse) {
        None => 1,
        Some(Ok(page)) if (1..=MAX_PAGE).contains(&page) => page,
        Some(_) => return refuse("page", "a page is a number from 1"),
    };
    let at = |time: Timestamp| time.to_rfc3339_opts(SecondsFormat::Secs, true);
    let (from, to, page) = (at(it.from), at(last), page.to_string());
    let pairs = [
        ("start_date", from.as_str()),
        ("end_date", to.as_str()),
        ("fields", "transaction_info"),
        ("balance_affecting_records_only", "Y"),
        ("page_size", PAGE_SIZE),
        ("page", page.as_str()),
    ];
    serde_urlencoded::to_string(pairs)
        .map_err(|_| BuildError::Field { field: "page", problem: "it cannot be encoded" })
}

/// A page of the report.
pub(super) fn page(it: &wire::Report) -> Result<SettlementPage, FactError> {
    let lines = it.transaction_details.iter().map(|detail| api_line(&detail.transaction_info));
    let lines = lines.collect::<Result<_, _>>()?;
    let (page, pages) = (it.page.unwrap_or(1), it.total_pages.unwrap_or(1));
    Ok(SettlementPage {
        lines,
        next: (page < pages).then(|| page.saturating_add(1).to_string()),
        complete_until: it.last_refreshed_datetime.as_deref().and_then(wire::time),
    })
}

fn api_line(row: &wire::Row) -> Result<SettlementLine, FactError> {
    let gross = amount(&row.transaction_amount)?;
    let fee = match &row.fee_amount {
        Some(fee) => amount(fee)?.checked_neg().map_err(|_| overflow())?,
        None => Money::zero(gross.currency()),
    };
    line(&Movement {
        id: &row.transaction_id,
        code: &row.transaction_event_code,
        status: &row.transaction_status,
        initiated: &row.transaction_initiation_date,
        completed: row.transaction_updated_date.as_deref(),
        gross,
        fee,
        parent: row.paypal_reference_id.as_deref(),
        parent_kind: row.paypal_reference_id_type.as_deref(),
        custom: row.custom_field.as_deref(),
        invoice: row.invoice_id.as_deref(),
    })
}

/// A movement as the API and the file tell it.
pub(super) struct Movement<'a> {
    pub(super) id: &'a str,
    pub(super) code: &'a str,
    pub(super) status: &'a str,
    pub(super) initiated: &'a str,
    pub(super) completed: Option<&'a str>,
    pub(super) gross: Money,
    /// Positive when we pay it.
    pub(super) fee: Money,
    pub(super) parent: Option<&'a str>,
    /// `ODR` an order, `TXN` another transaction, `SUB` and `PAP` agreements.
    pub(super) parent_kind: Option<&'a str>,
    pub(super) custom: Option<&'a str>,
    pub(super) invoice: Option<&'a str>,
}

/// A movement as a line. Its own status is part of the word unless it is done.
pub(super) fn line(it: &Movement<'_>) -> Result<SettlementLine, FactError> {
    let Movement { code, status, gross, fee, .. } = *it;
    let net = gross.checked_sub(fee);
    let net = net.map_err(|_| FactError::Contradiction { field: "fee_amount" })?;
    let at = wire::time(it.initiated);
    let time = at.map(|at| at.to_rfc3339_opts(SecondsFormat::Secs, true));
    let time = time.unwrap_or_else(|| wire::word(it.initiated));
    let parent = it.parent.filter(|_| matches!(it.parent_kind, Some("ODR" | "TXN")));
    Ok(SettlementLine {
        line_ref: format!("{}:{code}:{status}:{time}", it.id),
        kind: status::settlement(code, status, gross.minor() < 0),
        word: wire::word(&if status == "S" { code.to_owned() } else { format!("{code} {status}") }),
        source_ref: ProviderRef::parse(it.id).ok(),
        payment_ref: parent.and_then(|text| ProviderRef::parse(text).ok()),
        reference: payment_id(it.custom, it.invoice),
        gross,
        fee,
        tax: Money::zero(gross.currency()),
        net,
        original: None,
        settlement_ref: None,
        bank_reference: None,
        occurred_at: at,
        available_at: it.completed.and_then(wire::time).or(at),
    })
}

pub(super) const fn overflow() -> FactError {
    FactError::Contradiction { field: "fee_amount" }
}
