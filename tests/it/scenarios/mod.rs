//! The worked finance scenarios, to the cent.
//!
//! | part | does |
//! |---|---|
//! | [`worked_out`] | works the postings of the single order out from its inputs |
//! | [`through_api`] | posts the entries of every scenario as plain transactions over HTTP |

mod through_api;
mod worked_out;

use serde_json::Value;

/// Every scenario, in the order of their ids.
fn fixture() -> Vec<Value> {
    let text = include_str!("../../fixtures/scenarios.json");
    let mut whole: Value = serde_json::from_str(text).unwrap();
    serde_json::from_value(whole["scenarios"].take()).unwrap()
}
