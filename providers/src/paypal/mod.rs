//! PayPal: orders that the customer agrees to on its page, JSON both ways, a key for every write,
//! deliveries signed with a certificate.
//!
//! We make an **order**; the customer agrees to it and nothing is charged by that. A second call of
//! ours, the confirm, takes the money (a **capture**) or holds it (an **authorisation**, captured
//! later, once). In our words:
//!
//! | ours | theirs |
//! |---|---|
//! | [`crate::PaymentAnswer::provider_ref`] | the order |
//! | [`crate::PaymentAnswer::charge_ref`] | the authorisation; the capture once money is taken |
//! | our payment | `custom_id`; `invoice_id`, which is unique, is the payment and the attempt |
//! | our refund | the refund's `custom_id` and `invoice_id` |
//! | our payout | a batch of one item, named by the attempt; the item by the payout |
//!
//! | operation | call | after a lost answer |
//! |---|---|---|
//! | create | `POST /v2/checkout/orders` | the same key for 6 hours |
//! | confirm | `…/orders/{id}/capture` or `/authorize` | the same key for 6 hours |
//! | capture | `POST /v2/payments/authorizations/{id}/capture` | the same key for 45 days |
//! | void | `…/authorizations/{id}/void` | [`crate::SyncPayment`] |
//! | refund | `POST /v2/payments/captures/{id}/refund` | the same key for 45 days |
//! | find a refund | `GET` the order, which lists its refunds | |
//! | sync, sync of a refund | `GET` the order, the refund | |
//! | save, its sync | `POST /v3/vault/setup-tokens`, `payment-tokens` | the same key, 3 hours |
//! | remove | `DELETE /v3/vault/payment-tokens/{id}` | again |
//! | payout, sync, cancel | `/v1/payments/payouts`, `payouts-item` | the same key for 30 days |
//! | disputes | `/v1/customer/disputes` | the dispute itself |
//! | settlement | `GET /v1/reporting/transactions`, or the STL file | |
//!
//! A charge of a saved instrument is a create that ends at once; its key is the same for a
//! customer who is there and one who is away. An order that nobody agreed to cannot be given up by
//! a call, and need not be: without our confirm it takes nothing, and it lapses.
//!
//! What is easily got wrong (developer.paypal.com/docs/api, and recorded answers):
//!
//! - An order that is `COMPLETED` may hold a capture that was declined: the objects decide.
//! - `PAYMENT.CAPTURE.REFUNDED` is about the refund; the capture is only in its `up` link.
//! - A repeated call answers how things stand now, not what it answered first.
//! - "Already captured" and its like prove neither a success nor a failure: the payment is asked.
//! - HUF and TWD take no decimals, and no currency of the Gulf is taken at all.
//! - Links in answers point to the real host: only the customer is ever sent to one.
//! - A batch of payouts that is a `SUCCESS` was processed; only its item was paid, or came back.
//! - The checksum in a delivery's signature is no digest, see `signature`.
//!
//! What this adapter never does: read a state from the name of an event, take an approval for a
//! payment, fetch a certificate from an address that is not PayPal's, book a dispute's money. The
//! shop's own pairs of a payment are not sent: PayPal has no place for them.
//!
//! | file | holds |
//! |---|---|
//! | `adapter` | the trait |
//! | `request` | operations → requests |
//! | `answer` | answers → outcomes |
//! | `echo` | what was asked, compared with what came back |
//! | `refusal` | the table of issues |
//! | `order` | an order with its transactions → our facts |
//! | `facts` | authorisations, captures and refunds → our facts |
//! | `vault` | saved instruments |
//! | `payout` | batches and items |
//! | `dispute` | disputes |
//! | `report`, `file` | settlement lines |
//! | `status` | the tables of states |
//! | `event` | webhooks → events |
//! | `signature`, `certificate` | who sent a delivery |
//! | `recognise` | recorded exchanges → operations |
//! | `amount` | their text ↔ ISO 4217 minor units |
//! | `wire` | their JSON, tolerantly read |

mod adapter;
pub mod amount;
mod answer;
mod certificate;
mod dispute;
mod echo;
mod event;
mod facts;
mod file;
mod order;
mod payout;
mod recognise;
mod refusal;
mod report;
mod request;
mod signature;
pub mod status;
mod vault;
mod wire;

pub use adapter::Paypal;
pub use certificate::Environment;
