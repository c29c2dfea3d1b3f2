//! PayTabs (PT2): one address for everything that moves money, JSON both ways, no keys.
//!
//! Every call makes a **transaction** with a reference of its own, `tran_ref`; what follows from
//! another one names it by `tran_ref` in the request and by `previous_tran_ref` in the answer
//! (paytabscom/php-sdk, `Followup`). In our words:
//!
//! | ours | theirs |
//! |---|---|
//! | [`crate::PaymentAnswer::provider_ref`] | the page, sale or auth: known with the create |
//! | [`crate::PaymentAnswer::charge_ref`] | what a refund names: the sale, or the capture |
//! | our payment or refund with our operation | `cart_id`, see [`crate::reference`] |
//! | a saved instrument | `token`, with the transaction that first proved it |
//!
//! | call | request | after a lost answer |
//! |---|---|---|
//! | create | sale or auth: a hosted page, or at once with a token | [`crate::Operation::Find`] |
//! | capture | capture of an auth, once, a part too | find |
//! | void | void of an auth; release of the rest, as its amount, after a capture | find |
//! | refund | refund of a sale or capture, in parts too | find |
//! | save an instrument | register on a hosted page | find |
//! | sync | `/payment/query` by `tran_ref`: an object | again |
//! | find | `/payment/query` by `cart_id`: an array, empty where nothing happened | again |
//! | forget an instrument | `/payment/token/delete` | again |
//!
//! There are no idempotency keys. The same request within about two minutes is answered 409 with
//! code 4, which says nothing of the first one; after that it is a new payment. So nothing is sent
//! twice without a query by `cart_id`, and "nothing there" is believed only when the two minutes
//! are over (docs.paytabs.com, duplicate requests).
//!
//! States are told by a word of one letter for a type of transaction, see [`status`]. What to know
//! beside the tables:
//!
//! - A decline is answered 200. A transaction with code 400 ended nobody knows how.
//! - `cart_amount` is what was asked, `tran_total` what was charged; they may differ, and then a
//!   person looks. Old answers have no `tran_total`.
//! - Amounts are numbers in requests and texts in answers.
//! - A payment in cash (Fawry, Aman) is a `Payment Request` first; the money comes as a `Sale`
//!   that names it as the previous one. A sale with a saved card names one too, and is a payment
//!   of its own: it is told by its card.
//! - A hold for review (`H`) is ended in PayTabs' panel only.
//! - A register's amount is nominal: no money moves.
//! - What is done in the panel is told by the same messages; a refund that we did not start is
//!   normal.
//! - A key of one region is refused with 401 by the host of another, see [`REGIONS`].
//!
//! What this adapter never does: believe a browser's return (it says that the buyer is back, and
//! the gateway is asked), call a capture, void or release that failed a change of the payment,
//! write an amount through a float. Payouts and split payouts need a contract and their answers
//! are not documented; disputes are answered by mail: neither is offered.
//!
//! | file | holds |
//! |---|---|
//! | `adapter` | the trait |
//! | `request` | operations → requests |
//! | `answer` | answers → outcomes |
//! | `find` | the one transaction of several that was looked for |
//! | `echo` | what was asked, compared with what came back |
//! | `refusal` | the table of errors |
//! | `facts` | transactions → our facts |
//! | `status` | the tables of states and reasons |
//! | `event` | messages → events |
//! | `signature` | the header `Signature`, and that of a browser's return |
//! | `settlement` | statements in CSV |
//! | `recognise` | recordings → operations |
//! | `amount` | their decimals ↔ ISO 4217 minor units |
//! | `wire` | their JSON, tolerantly read |

mod adapter;
pub mod amount;
mod answer;
mod echo;
mod event;
mod facts;
mod find;
mod recognise;
mod refusal;
mod request;
pub mod settlement;
mod signature;
pub mod status;
mod wire;

pub use adapter::{Paytabs, REGIONS};
