//! Stripe: form-encoded requests, JSON answers, keys for every write, signed events.
//!
//! Requests are async-stripe's typed builders turned into plain data; answers are read with its
//! types first and with tolerant ones of our own where a body is trimmed. Its HTTP client and its
//! webhook check are not used: the one has no time limit, the other knows one secret only.
//!
//! | ours | theirs |
//! |---|---|
//! | create, confirm, capture, void, sync | `POST /v1/payment_intents…`, expanded to the fee |
//! | refund and its sync | `POST /v1/refunds` |
//! | a customer | `POST /v1/customers`: instruments are kept under it |
//! | keep with a payment | `customer` and `setup_future_usage=off_session` |
//! | charge a saved one | `customer`, `payment_method`, and `off_session` with the customer away |
//! | save alone, its sync | `POST /v1/setup_intents`, confirmed at once |
//! | remove | `POST /v1/payment_methods/{id}/detach` |
//! | payout, its sync, its end | `/v1/payouts…` on behalf of the connected account |
//! | transfer, its sync, reversal | `/v1/transfers…`; what came back tells the state |
//! | disputes: read, list, accept, contest | `/v1/disputes…`, `close`, `evidence` with `submit` |
//! | settlement lines | `/v1/balance_transactions`, or the itemised report as a file |
//!
//! After a lost answer every write is sent again with the same key, which Stripe keeps for a day at
//! least; nothing needs to be looked for.
//!
//! What surprises: paid and succeeded are not final, a payout and a refund can fail days later; an
//! event's payout that was paid and failed came back, a sync alone cannot tell that from one that
//! never arrived. The fee of a dispute can be negative. A hold that was captured in part makes two
//! rows. A capture in several parts needs a feature of the account. Evidence is handed in once.
//!
//! | file | holds |
//! |---|---|
//! | `adapter` | the trait |
//! | `request` | operations → requests |
//! | `answer` | answers → outcomes, with the echo checks |
//! | `instrument`, `payout`, `transfer`, `dispute`, `settlement` | both ways, one subject each |
//! | `report` | the itemised report, a file |
//! | `recognise` | what a recorded answer was an answer to |
//! | `refusal` | the table of errors |
//! | `facts` | their objects → our facts |
//! | `status` | the tables of states |
//! | `event` | webhooks → events |
//! | `signature` | `Stripe-Signature` |
//! | `amount` | their units ↔ ISO 4217 minor units |
//! | `wire`, `typed` | their JSON, tolerant and as async-stripe has it |
//! | `transport` | async-stripe's requests, and pairs of our own, as ours |

mod adapter;
pub mod amount;
mod answer;
mod dispute;
mod event;
mod facts;
mod instrument;
mod payout;
mod recognise;
mod refusal;
mod report;
mod request;
mod settlement;
mod signature;
pub mod status;
mod transfer;
mod transport;
mod typed;
mod wire;

pub use adapter::Stripe;
