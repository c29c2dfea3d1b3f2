//! PayTabs behind the trait all gateways share.

mod adapter;

pub use adapter::Paytabs;
