//! Razorpay: JSON both ways, keys for refunds only, events signed over the raw body.
//!
//! We make an **order**; the customer's **payments** against it are made in Razorpay's own
//! checkout, one or several, and told later. In our words:
//!
//! | ours | theirs |
//! |---|---|
//! | [`crate::PaymentAnswer::provider_ref`] | the order, `order_…`: known with the create |
//! | [`crate::PaymentAnswer::charge_ref`] | the payment that holds or took the money, `pay_…` |
//! | our payment | the order's `receipt`, which is unique, and a note |
//! | our refund | the refund's `receipt` and a note |
//!
//! | call | after a lost answer |
//! |---|---|
//! | create | the same receipt is refused, and then looked up: [`crate::Operation::Find`] |
//! | capture | no key, but the state guards it: [`crate::SyncPayment`] |
//! | refund | the same request with the same key, in `X-Refund-Idempotency` |
//!
//! A receipt is one of our payments, so a payment has one order here, however often the customer
//! tries. A failed payment is not final: the same order can still be paid. A hold is never given
//! up by a call; it lapses after three days and goes back by itself.
//!
//! What the operations cannot say yet: a create is refused when the payment has an order already,
//! and only [`crate::Operation::Find`] tells which; a sync of a refund does not know `pay_…`, so that
//! part of the echo is compared for the refund itself only; the signature that the checkout hands
//! to the browser has no place, and nothing is believed of it.
//!
//! What this adapter never does: read a state from the name of an event, book by what a browser
//! brings back, name a failed payment as the one to capture or refund.
//!
//! | file | holds |
//! |---|---|
//! | `adapter` | the trait |
//! | `request` | operations → requests |
//! | `answer` | answers → outcomes |
//! | `echo` | what was asked, compared with what came back |
//! | `refusal` | the table of errors |
//! | `order` | an order with its payments → our facts |
//! | `facts` | payments and refunds → our facts |
//! | `status` | the tables of states |
//! | `event` | webhooks → events |
//! | `signature` | `X-Razorpay-Signature` |
//! | `amount` | their units ↔ ISO 4217 minor units |
//! | `wire` | their JSON, tolerantly read |

mod adapter;
pub mod amount;
mod answer;
mod echo;
mod event;
mod facts;
mod order;
mod refusal;
mod request;
mod signature;
pub mod status;
mod wire;

pub use adapter::Razorpay;
