//! Rules with dates, whatever they are about.

mod store;

pub use store::DatedRules;
