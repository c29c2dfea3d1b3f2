//! Files of banks, held against what stands in them.

#![allow(clippy::unwrap_used)]

use mizan_money::{Currency, TypedId};

use super::*;
use crate::payouts::bank_account::Said;

#[test]
fn placeholder() {}
