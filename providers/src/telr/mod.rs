//! Telr: a hosted page by form, follow-ups in XML, weakly signed messages that are hints.
//!
//! We make an **order**, which is a page; the customer's **transactions** on it are told by asking
//! for the order. In our words:
//!
//! | ours | theirs |
//! |---|---|
//! | `provider_ref` | the order, 64 hexadecimal digits; of a saved card's charge the transaction |
//! | `charge_ref` | the transaction to act on: the hold, then its capture or release; the sale |
//! | our payment or refund | the cart id, see [`crate::reference`] |
//! | a saved card | the number of an earlier transaction; there is no vault |
//!
//! | operation | call | answer | after a lost answer |
//! |---|---|---|---|
//! | create | `order.json`, `create` | JSON | the same again: E56, and the attempt is over |
//! | create with a saved card | `remote.xml`, class `cont` | XML | find, by cart id |
//! | sync | `order.json`, `check` | JSON | |
//! | capture, void, refund | `remote.xml`, `release` for void | XML | find, among the linked |
//! | save a card | `order.json`, `create` of type `verify` | JSON | as create |
//! | find, sync of a transaction | `/tools/api/xml/transaction/…` | XML | |
//! | settlements | `/api/v1/accounts/…/payouts` | JSON | |
//!
//! Sources: docs.telr.com, and Telr's own plug-ins for WooCommerce, Magento, OpenCart and Odoo
//! where the documents are silent.
//!
//! What one must know:
//! - There is no idempotency key. Only the cart id of a page is unique. A page whose answer was
//!   lost is one nobody was sent to, so E56 ends the attempt; a charge of a saved card whose
//!   answer was lost must **not** be sent again ([`crate::Replay::Once`]) but found.
//! - An error comes with HTTP 200. Its code counts, never its text; 34, 58, 78, 98, 99 and 107 say
//!   that nobody knows.
//! - Test and live differ by a flag only, so the flag of every answer is compared.
//! - An order that is declined can still be paid on its page until it expires.
//! - Order 2, "authorised", is a hold only if its transaction is of type `auth`.
//! - An order does not say how much of a hold was taken. The capture's own answer does.
//! - A refund names the sale or the capture, a capture names the hold. What we know is one
//!   transaction, so one hold is captured once; what that leaves is not given back by itself,
//!   it lapses.
//! - Telr may keep the first cart id of a payment for its follow-ups. Then two refunds alike
//!   are told apart by what is known of them; two unknown ones are left to a person.
//! - No interface for disputes, none to pay vendors, none to forget a card, no fee before the
//!   payout, no place for metadata.
//!
//! Not known until a real account tells: what happens to third decimals, the fields of the Service
//! and Accounts APIs in full, the types of a payout's lines.
//!
//! What this adapter never does: book by a message, believe a browser's return, send card data.
//!
//! | file | holds |
//! |---|---|
//! | `adapter`, `settings` | the trait; keys and settings |
//! | `request`, `remote` | operations → requests |
//! | `answer`, `order`, `search`, `refusal` | answers → outcomes |
//! | `echo`, `named` | what was asked, compared with what came back; whose a reference is |
//! | `facts`, `status`, `code` | our facts; the tables of states and codes |
//! | `event`, `signature` | messages → events, once believed |
//! | `settlement` | payouts by API and by file |
//! | `recognise` | recordings → operations |
//! | `amount`, `wire`, `xml` | their units and their formats |

mod adapter;
pub mod amount;
mod answer;
mod code;
mod echo;
mod event;
mod facts;
mod named;
mod order;
mod recognise;
mod refusal;
mod remote;
mod request;
mod search;
mod settings;
mod settlement;
mod signature;
pub mod status;
mod wire;
mod xml;

pub use adapter::Telr;
pub use settings::{ServiceAccess, Settings};
pub use settlement::Columns;
