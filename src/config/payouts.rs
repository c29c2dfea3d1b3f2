//! The settings of payouts.

use std::collections::BTreeMap;

use mizan_money::Currency;
use serde::{Deserialize, Deserializer};

use super::non_empty;

/// Payouts.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PayoutsConfig {
    /// How long new bank details rest before anything is paid to them.
    pub cooling_hours: u32,
    /// Up to how much is paid at once, in minor units by currency.
    #[serde(deserialize_with = "amounts")]
    pub amount_max: BTreeMap<String, i64>,
    /// Above which a second person approves, in minor units by currency.
    #[serde(deserialize_with = "amounts")]
    pub approval_above: BTreeMap<String, i64>,
    /// Who orders the payments of a bank file.
    #[serde(deserialize_with = "non_empty")]
    pub debtor_name: Option<String>,
    /// Its account.
    #[serde(deserialize_with = "non_empty")]
    pub debtor_iban: Option<String>,
    /// Its bank.
    #[serde(deserialize_with = "non_empty")]
    pub debtor_bic: Option<String>,
    /// Its town.
    #[serde(deserialize_with = "non_empty")]
    pub debtor_town: Option<String>,
    /// Its country, ISO 3166.
    #[serde(deserialize_with = "non_empty")]
    pub debtor_country: Option<String>,
}

/// Members such as `AED=10000000`.
fn amounts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, i64>, D::Error> {
    let member = |text: String| {
        let (code, minor) = text.split_once('=')?;
        let currency = Currency::parse(code.trim()).ok()?;
        let minor: i64 = minor.trim().parse().ok().filter(|minor| *minor >= 0)?;
        Some((currency.code().to_owned(), minor))
    };
    let texts = Vec::<String>::deserialize(deserializer)?;
    texts.into_iter().map(member).collect::<Option<_>>().ok_or_else(|| {
        serde::de::Error::custom("expected members such as \"AED=10000000\", in minor units")
    })
}
