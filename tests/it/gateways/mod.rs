//! Several gateways behind one service: each through the whole of it, the choice between them,
//! one that is down, and a random shop on all of them at once.

mod bazaar;
mod each;
mod property;
mod routing;

pub use bazaar::Bazaar;
