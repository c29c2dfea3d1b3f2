//! What every gateway does, in no gateway's words: the core that the gateways' folders speak for.
//!
//! ```text
//! order    open -> approved -> paid              open -> cancelled, expired
//! payment  requires action, processing, held -> authorised -> captured
//!          every open one -> failed              authorised -> cancelled, expired
//!          authorised, captured -> reversed (it looked paid)
//! refund   pending -> succeeded -> failed (bounced)
//! payout   queued -> in transit -> paid -> returned    in transit -> failed
//!          queued -> cancelled
//! dispute  open -> under review -> won, lost
//! ```
//!
//! One request is one [`work::Work`]: it runs alone on the state, and what it changed, the stored
//! answer for its idempotency key and the messages with their deliveries go to the journal as one
//! line before the answer leaves. Records: [`record`], [`cash`], [`book`]. Actions: [`order`],
//! [`payment`], [`token`], [`refund`], [`payout`], [`transfer`], [`dispute`], [`settlement`]; what
//! happens by itself: [`late`]. A gateway's folder implements [`wire::Wire`] and knows nothing of
//! faults, the journal and deliveries; those are the business of [`server`].

#![allow(dead_code, reason = "no gateway has a word for everything that the bank does")]

pub mod book;
pub mod cash;
pub mod dispute;
mod late;
pub mod order;
pub mod payment;
pub mod payout;
pub mod record;
pub mod refund;
pub mod request;
mod server;
pub mod settlement;
pub mod state;
pub mod token;
pub mod transfer;
pub mod wire;
pub mod work;

pub use server::Bank;
