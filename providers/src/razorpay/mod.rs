//! Razorpay: JSON both ways, a key of another name for each kind of write, events signed over the
//! raw body.
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
//! | our payout | its `reference_id` and a note |
//! | our transfer, our customer | a note |
//!
//! | call | after a lost answer |
//! |---|---|
//! | create | the same receipt is refused, and then looked up: [`crate::Operation::Find`] |
//! | capture | no key, but the state guards it: [`crate::SyncPayment`] |
//! | refund | looked up among the payment's refunds; `X-Refund-Idempotency` guards the next one |
//! | payout | the same request with the same key, `X-Payout-Idempotency`; or looked up |
//! | transfer of a payment | looked up among the payment's transfers by our note |
//! | transfer from the balance | the same, among the newest; `X-Transfer-Idempotency` guards it |
//! | reversal of a transfer | looked up: what came back of the transfer tells it |
//!
//! A receipt is one of our payments, so a payment has one order here, however often the customer
//! tries. A failed payment is not final: the same order can still be paid. A hold is never given
//! up by a call; it lapses after three days and goes back by itself. A second captured payment of
//! one order is told as more than was asked, by a sync and by `order.paid`.
//!
//! Payouts are RazorpayX, with keys and a webhook secret of its own: a connection of their own,
//! which names the account they leave from. They go to bank accounts, by IMPS up to 5 lakh rupees
//! and by NEFT above; fund accounts that are UPI addresses or cards want another mode, which their
//! id does not tell. Processed is not final: a reversal gives back the amount with fee and tax.
//! Transfers (Route) and payouts are in rupees. A transfer that has not moved yet is pending.
//!
//! Tokens are made in the checkout, for a customer, and told by the payment; they are not charged
//! from here, see `instrument`.
//!
//! What the operations cannot say: a create is refused when the payment has an order already, and
//! only [`crate::Operation::Find`] tells which; the signature that the checkout hands to the
//! browser has no place, and nothing is believed of it.
//!
//! What this adapter never does: read a state from the name of an event (but for a failed
//! transfer, whose published body calls itself processed), book by what a browser brings back, name
//! a failed payment as the one to capture or refund.
//!
//! | file | holds |
//! |---|---|
//! | `adapter` | the trait |
//! | `request` | operations → requests |
//! | `answer` | answers → outcomes |
//! | `instrument`, `payout`, `transfer`, `dispute`, `settlement` | both ways, one subject each |
//! | `recognise` | what a recorded answer was an answer to |
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
mod dispute;
mod echo;
mod event;
mod facts;
mod instrument;
mod order;
mod payout;
mod recognise;
mod refusal;
mod request;
mod settlement;
mod signature;
pub mod status;
mod transfer;
mod wire;

pub use adapter::Razorpay;
