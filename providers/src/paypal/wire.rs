//! PayPal's JSON, as little of it as we use, tolerant of everything else.

use chrono::DateTime;
use mizan_money::Timestamp;
use serde::Deserialize;
use serde_json::Value;

/// Text in major units. Orders call the currency `currency_code`, payouts `currency`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(super) struct Amount {
    #[serde(alias = "currency")]
    pub(super) currency_code: String,
    pub(super) value: String,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(super) struct Link {
    pub(super) href: String,
    pub(super) rel: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(super) struct Order {
    /// Called `order_id` where an approval was withdrawn.
    #[serde(alias = "order_id")]
    pub(super) id: String,
    pub(super) status: Option<String>,
    pub(super) intent: Option<String>,
    #[serde(default)]
    pub(super) purchase_units: Vec<Unit>,
    pub(super) payment_source: Option<PaymentSource>,
    #[serde(default)]
    pub(super) links: Vec<Link>,
}

#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
pub(super) struct Unit {
    pub(super) custom_id: Option<String>,
    pub(super) invoice_id: Option<String>,
    pub(super) amount: Option<Amount>,
    #[serde(default)]
    pub(super) payments: Payments,
}

#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
pub(super) struct Payments {
    #[serde(default)]
    pub(super) authorizations: Vec<Transaction>,
    #[serde(default)]
    pub(super) captures: Vec<Transaction>,
    #[serde(default)]
    pub(super) refunds: Vec<Transaction>,
}

/// An authorisation, a capture or a refund: they share their fields.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(super) struct Transaction {
    pub(super) id: String,
    pub(super) status: String,
    pub(super) amount: Option<Amount>,
    pub(super) custom_id: Option<String>,
    pub(super) invoice_id: Option<String>,
    pub(super) final_capture: Option<bool>,
    pub(super) status_details: Option<StatusDetails>,
    pub(super) processor_response: Option<ProcessorResponse>,
    pub(super) seller_receivable_breakdown: Option<Breakdown>,
    pub(super) seller_payable_breakdown: Option<Breakdown>,
    pub(super) supplementary_data: Option<Supplementary>,
    #[serde(default)]
    pub(super) links: Vec<Link>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(super) struct StatusDetails {
    pub(super) reason: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(super) struct ProcessorResponse {
    pub(super) response_code: Option<String>,
}

/// What a capture brought or a refund took.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(super) struct Breakdown {
    pub(super) gross_amount: Option<Amount>,
    pub(super) paypal_fee: Option<Amount>,
    pub(super) net_amount: Option<Amount>,
    /// There when the money was credited in another currency.
    pub(super) receivable_amount: Option<Amount>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(super) struct Supplementary {
    pub(super) related_ids: Option<RelatedIds>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(super) struct RelatedIds {
    pub(super) order_id: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(super) struct PaymentSource {
    pub(super) paypal: Option<Wallet>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(super) struct Wallet {
    pub(super) attributes: Option<Attributes>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(super) struct Attributes {
    pub(super) vault: Option<Token>,
}

/// A saved instrument, or the way to one.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(super) struct Token {
    pub(super) id: Option<String>,
    pub(super) status: Option<String>,
    pub(super) customer: Option<Customer>,
    #[serde(default)]
    pub(super) links: Vec<Link>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(super) struct Customer {
    pub(super) id: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(super) struct Batch {
    pub(super) batch_header: BatchHeader,
    /// Read one by one: published samples hold broken ones.
    #[serde(default)]
    pub(super) items: Vec<Value>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(super) struct BatchHeader {
    pub(super) payout_batch_id: String,
    pub(super) batch_status: String,
    pub(super) sender_batch_header: Option<SenderBatchHeader>,
    pub(super) amount: Option<Amount>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(super) struct SenderBatchHeader {
    pub(super) sender_batch_id: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(super) struct Item {
    pub(super) payout_item_id: String,
    pub(super) transaction_status: String,
    pub(super) transaction_id: Option<String>,
    /// Not read with the rest: a published sample has its members swapped.
    #[serde(default)]
    pub(super) payout_item_fee: Value,
    pub(super) payout_item: ItemAsked,
    pub(super) errors: Option<ItemError>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(super) struct ItemAsked {
    pub(super) amount: Amount,
    pub(super) sender_item_id: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(super) struct ItemError {
    pub(super) name: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(super) struct Dispute {
    pub(super) dispute_id: String,
    pub(super) status: String,
    pub(super) reason: Option<String>,
    pub(super) dispute_life_cycle_stage: Option<String>,
    pub(super) dispute_amount: Amount,
    pub(super) dispute_outcome: Option<DisputeOutcome>,
    pub(super) seller_response_due_date: Option<String>,
    pub(super) update_time: Option<String>,
    #[serde(default)]
    pub(super) disputed_transactions: Vec<Disputed>,
    pub(super) money_movements: Option<Vec<Movement>>,
}

/// Money that a dispute moved; of an asset that is no money there is no amount.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(super) struct Movement {
    pub(super) affected_party: Option<String>,
    pub(super) amount: Option<Amount>,
    pub(super) initiated_time: Option<String>,
    #[serde(rename = "type")]
    pub(super) side: Option<String>,
    pub(super) reason: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(super) struct DisputeOutcome {
    pub(super) outcome_code: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(super) struct Disputed {
    pub(super) seller_transaction_id: Option<String>,
    pub(super) custom: Option<String>,
    pub(super) invoice_number: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(super) struct Disputes {
    pub(super) items: Vec<Dispute>,
    #[serde(default)]
    pub(super) links: Vec<Link>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(super) struct Report {
    pub(super) transaction_details: Vec<Detail>,
    pub(super) page: Option<u32>,
    pub(super) total_pages: Option<u32>,
    pub(super) last_refreshed_datetime: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(super) struct Detail {
    pub(super) transaction_info: Row,
}

/// A movement of the balance.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(super) struct Row {
    pub(super) transaction_id: String,
    pub(super) paypal_reference_id: Option<String>,
    pub(super) paypal_reference_id_type: Option<String>,
    pub(super) transaction_event_code: String,
    pub(super) transaction_status: String,
    pub(super) transaction_initiation_date: String,
    pub(super) transaction_updated_date: Option<String>,
    pub(super) transaction_amount: Amount,
    pub(super) fee_amount: Option<Amount>,
    pub(super) invoice_id: Option<String>,
    pub(super) custom_field: Option<String>,
}

/// Any refusal: PayPal's own envelope, or the one of the token endpoint.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
pub(super) struct Refusal {
    pub(super) name: Option<String>,
    pub(super) message: Option<String>,
    pub(super) debug_id: Option<String>,
    #[serde(default)]
    pub(super) details: Vec<Issue>,
    pub(super) error: Option<String>,
    pub(super) error_description: Option<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
pub(super) struct Issue {
    pub(super) issue: Option<String>,
    pub(super) description: Option<String>,
}

/// What every answer may be asked first: is it an error in a success's clothes?
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Probe {
    pub(super) name: Option<Value>,
    pub(super) debug_id: Option<Value>,
    pub(super) error: Option<Value>,
}

/// An event's envelope.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Event {
    pub(super) id: String,
    pub(super) event_type: String,
    pub(super) create_time: Option<String>,
    pub(super) resource_type: Option<String>,
    #[serde(default)]
    pub(super) resource: Value,
}

/// A thing that a link leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Parent<'a> {
    Order(&'a str),
    Authorization(&'a str),
    Capture(&'a str),
}

/// The address of a link by its relation.
pub(super) fn link<'a>(links: &'a [Link], rel: &str) -> Option<&'a str> {
    links.iter().find(|it| it.rel.as_deref() == Some(rel)).map(|it| it.href.as_str())
}

/// What a thing belongs to, by its `up` link: the only place where PayPal says it.
pub(super) fn parent(links: &[Link]) -> Option<Parent<'_>> {
    let href = link(links, "up")?;
    let after = |folder: &str| {
        let id = href.split_once(folder)?.1.split(['/', '?', '#']).next()?;
        (!id.is_empty()).then_some(id)
    };
    after("/checkout/orders/")
        .map(Parent::Order)
        .or_else(|| after("/payments/authorizations/").map(Parent::Authorization))
        .or_else(|| after("/payments/captures/").map(Parent::Capture))
}

/// A time as PayPal writes it: `Z`, `-07:00`, and in reports `+0000`.
pub(super) fn time(text: &str) -> Option<Timestamp> {
    DateTime::parse_from_rfc3339(text)
        .or_else(|_| DateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f%z"))
        .ok()
        .map(|at| at.to_utc())
}

/// A gateway's word, cut to 100 characters.
pub(super) fn word(text: &str) -> String {
    text.chars().take(100).collect()
}
