//! The laws of the books, proved on the live database without believing the service.

mod store;

pub use store::ledger_laws;

/// At most this many broken rows are named per law.
pub const NAMED_MAX: usize = 20;

/// One law, how much it was tried on, and what breaks it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Law {
    /// A short name, e.g. `transactions balance`.
    pub name: &'static str,
    /// How many things were checked.
    pub checked: i64,
    /// What was checked: `transactions`, `entries` …
    pub unit: &'static str,
    /// The broken rows, the first twenty by name.
    pub broken: Vec<String>,
}

impl Law {
    /// Whether nothing breaks it.
    pub fn holds(&self) -> bool {
        self.broken.is_empty()
    }
}
