//! The active currencies of ISO 4217 and how many decimals each of them has.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use utoipa::openapi::{RefOr, Type, schema::Object, schema::Schema};

/// The active codes, in alphabetical order.
///
/// The table crate still knows withdrawn codes, so that it can read a code does not mean that
/// the code may be used: a new payment in BGN, CUC, HRK, SLL or ZWL would never settle. Metals,
/// bond units and the codes for tests have no minor unit and are absent as well.
const ACTIVE: [&str; 165] = [
    "AED", "AFN", "ALL", "AMD", "AOA", "ARS", "AUD", "AWG", "AZN", "BAM", "BBD", "BDT", "BHD",
    "BIF", "BMD", "BND", "BOB", "BOV", "BRL", "BSD", "BTN", "BWP", "BYN", "BZD", "CAD", "CDF",
    "CHE", "CHF", "CHW", "CLF", "CLP", "CNY", "COP", "COU", "CRC", "CUP", "CVE", "CZK", "DJF",
    "DKK", "DOP", "DZD", "EGP", "ERN", "ETB", "EUR", "FJD", "FKP", "GBP", "GEL", "GHS", "GIP",
    "GMD", "GNF", "GTQ", "GYD", "HKD", "HNL", "HTG", "HUF", "IDR", "ILS", "INR", "IQD", "IRR",
    "ISK", "JMD", "JOD", "JPY", "KES", "KGS", "KHR", "KMF", "KPW", "KRW", "KWD", "KYD", "KZT",
    "LAK", "LBP", "LKR", "LRD", "LSL", "LYD", "MAD", "MDL", "MGA", "MKD", "MMK", "MNT", "MOP",
    "MRU", "MUR", "MVR", "MWK", "MXN", "MXV", "MYR", "MZN", "NAD", "NGN", "NIO", "NOK", "NPR",
    "NZD", "OMR", "PAB", "PEN", "PGK", "PHP", "PKR", "PLN", "PYG", "QAR", "RON", "RSD", "RUB",
    "RWF", "SAR", "SBD", "SCR", "SDG", "SEK", "SGD", "SHP", "SLE", "SOS", "SRD", "SSP", "STN",
    "SVC", "SYP", "SZL", "THB", "TJS", "TMT", "TND", "TOP", "TRY", "TTD", "TWD", "TZS", "UAH",
    "UGX", "USD", "USN", "UYI", "UYU", "UYW", "UZS", "VED", "VES", "VND", "VUV", "WST", "XAD",
    "XAF", "XCD", "XCG", "XOF", "XPF", "YER", "ZAR", "ZMW", "ZWG",
];

/// An active ISO 4217 currency that has a minor unit. Ordered by its code.
///
/// CLF and UYW are units of account with four decimals: arithmetic knows them, no gateway does.
/// A gateway may count decimals differently; its adapter keeps its own table.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Currency {
    iso: iso_currency::Currency,
    exponent: u8,
}

impl Currency {
    /// United Arab Emirates dirham, 2 decimals.
    pub const AED: Self = Self::known(iso_currency::Currency::AED, 2);
    /// Saudi riyal, 2 decimals.
    pub const SAR: Self = Self::known(iso_currency::Currency::SAR, 2);
    /// United States dollar, 2 decimals.
    pub const USD: Self = Self::known(iso_currency::Currency::USD, 2);
    /// Euro, 2 decimals.
    pub const EUR: Self = Self::known(iso_currency::Currency::EUR, 2);
    /// Indian rupee, 2 decimals.
    pub const INR: Self = Self::known(iso_currency::Currency::INR, 2);
    /// Kuwaiti dinar, 3 decimals.
    pub const KWD: Self = Self::known(iso_currency::Currency::KWD, 3);
    /// Bahraini dinar, 3 decimals.
    pub const BHD: Self = Self::known(iso_currency::Currency::BHD, 3);
    /// Omani rial, 3 decimals.
    pub const OMR: Self = Self::known(iso_currency::Currency::OMR, 3);
    /// Japanese yen, no decimals.
    pub const JPY: Self = Self::known(iso_currency::Currency::JPY, 0);
    /// Pound sterling, 2 decimals.
    pub const GBP: Self = Self::known(iso_currency::Currency::GBP, 2);

    const fn known(iso: iso_currency::Currency, exponent: u8) -> Self {
        Self { iso, exponent }
    }

    /// Reads an upper-case code such as `AED`.
    ///
    /// # Errors
    /// Refuses every text that is not the code of an active currency with a minor unit:
    /// lower case, withdrawn codes, metals, test codes.
    pub fn parse(code: &str) -> Result<Self, UnknownCurrency> {
        Self::lookup(code).ok_or_else(|| UnknownCurrency::of(code))
    }

    fn lookup(code: &str) -> Option<Self> {
        ACTIVE.binary_search(&code).ok()?;
        let iso = iso_currency::Currency::from_code(code)?;
        let exponent = u8::try_from(iso.exponent()?).ok()?;
        Some(Self { iso, exponent })
    }

    /// The three letters, for instance `AED`.
    pub fn code(self) -> &'static str {
        self.iso.code()
    }

    /// How many decimals one major unit has: 2 for AED, 3 for KWD, 0 for JPY.
    pub const fn exponent(self) -> u32 {
        self.exponent as u32
    }

    /// Minor units in one major unit: 100 for AED, 1000 for KWD, 1 for JPY.
    pub const fn minor_per_major(self) -> i64 {
        10_i64.pow(self.exponent())
    }

    /// Every supported currency, by code.
    pub fn all() -> impl Iterator<Item = Self> {
        ACTIVE.iter().filter_map(|code| Self::lookup(code))
    }
}

impl Ord for Currency {
    /// By code. The table crate's own order is that of its table, which is not alphabetical.
    fn cmp(&self, other: &Self) -> Ordering {
        self.code().cmp(other.code())
    }
}

impl PartialOrd for Currency {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.code())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl FromStr for Currency {
    type Err = UnknownCurrency;

    fn from_str(code: &str) -> Result<Self, Self::Err> {
        Self::parse(code)
    }
}

impl Serialize for Currency {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let code = String::deserialize(deserializer)?;
        Self::parse(&code).map_err(D::Error::custom)
    }
}

impl utoipa::PartialSchema for Currency {
    fn schema() -> RefOr<Schema> {
        Object::builder()
            .schema_type(Type::String)
            .pattern(Some("^[A-Z]{3}$"))
            .description(Some("An active ISO 4217 currency code in upper case"))
            .examples(["AED"])
            .into()
    }
}

impl utoipa::ToSchema for Currency {}

/// A text that is not the code of a supported currency.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error(
    "{shown:?} is not an active ISO 4217 currency with decimals; \
     send three upper-case letters such as \"AED\""
)]
pub struct UnknownCurrency {
    shown: String,
}

impl UnknownCurrency {
    /// Long texts are cut: an error message is no place for what a stranger sent.
    fn of(code: &str) -> Self {
        const SHOWN_CHARS_MAX: usize = 8;
        Self { shown: code.chars().take(SHOWN_CHARS_MAX).collect() }
    }
}
