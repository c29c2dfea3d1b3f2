//! An order as the route takes it in, and its checks at the door.

use mizan_money::{Currency, Rate};
use mizan_providers::CaptureMethod;
use serde::Deserialize;
use utoipa::ToSchema;

use super::request::{
    check_amount, check_country, check_instrument, check_metadata, check_method, check_return_url,
    check_text,
};
use crate::http::{Code, Problem};
use crate::payments::create::{AMOUNT_MAX, NewDiscount, NewIntent, NewLine, Off, Prices};
use crate::payments::intent::Metadata;
use crate::payments::line::LineKind;
use crate::vendors::WhoBears;

/// A payment intent to be created.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = NewPaymentIntent)]
pub(super) struct CreateBody {
    /// What the customer pays in all, in minor units. It must be what the lines come to after
    /// discounts; leave it out to take just that.
    #[schema(minimum = 1, maximum = 999_999_999_999_i64)]
    amount: Option<i64>,
    /// ISO 4217, upper case.
    #[schema(example = "AED")]
    currency: String,
    /// The order's lines.
    #[schema(min_items = 1, max_items = 100)]
    lines: Vec<LineBody>,
    /// Whether the prices of the lines hold the tax.
    #[serde(default)]
    prices: PricesWord,
    /// What is taken off, one after the other.
    #[serde(default)]
    #[schema(max_items = 20)]
    discounts: Vec<DiscountBody>,
    /// Your id of the order: 1 to 80 letters, digits, `_`, `-`, `.`; else the intent's own id.
    order: Option<String>,
    /// Your id of the customer, of the same letters.
    customer: Option<String>,
    /// The customer's state, where tax tells states apart.
    customer_state: Option<String>,
    /// Your id of the affiliate who sent the customer.
    affiliate: Option<String>,
    /// Or the code of the affiliate; else whose link the customer clicked last.
    affiliate_code: Option<String>,
    /// What the customer's wallet pays of the amount.
    #[serde(default)]
    wallet: WalletBody,
    /// Whether the money is taken at once or by a capture.
    #[serde(default)]
    capture_method: CaptureWord,
    /// The gateway's token of the instrument; may also be named when confirming.
    payment_method: Option<String>,
    /// Where the customer comes back to after a hosted page.
    return_url: Option<String>,
    /// For people.
    description: Option<String>,
    /// Where the customer is: two letters of ISO 3166. Routing goes by it.
    #[schema(example = "AE")]
    country: Option<String>,
    /// The kind of instrument, such as `card` or `upi`. Routing goes by it.
    #[schema(example = "card")]
    payment_method_type: Option<String>,
    /// Your own pairs: at most 48, keys to 40 and values to 500 characters.
    #[serde(default)]
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    metadata: Metadata,
}

/// One line of the order.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = NewOrderLine)]
struct LineBody {
    /// What it is.
    #[serde(default)]
    kind: KindWord,
    /// Your id of the vendor: 1 to 80 letters, digits, `_`, `-`, `.`. None for what the platform
    /// sells itself.
    vendor: Option<String>,
    /// Your id of the item.
    item: Option<String>,
    /// A word that commission rules go by.
    category: Option<String>,
    /// How many; `amount` is the price of all of them.
    #[serde(default = "one")]
    #[schema(default = 1, minimum = 1)]
    quantity: i32,
    /// The contract that a plan is of.
    contract: Option<String>,
    /// For people.
    description: Option<String>,
    /// Its price in minor units before discounts, tax included or not as `prices` says.
    #[schema(minimum = 1, maximum = 999_999_999_999_i64)]
    amount: i64,
    /// The tax in the price, or on it, in percent.
    #[serde(default = "zero_percent")]
    #[schema(value_type = String, default = "0", example = "5")]
    tax_percent: Rate,
    /// The platform's commission on the price before tax, in percent; else as the commission
    /// rules say.
    #[schema(value_type = Option<String>, example = "10")]
    commission_percent: Option<Rate>,
}

fn zero_percent() -> Rate {
    Rate::ZERO
}

fn one() -> i32 {
    1
}

/// What a line is.
#[derive(Debug, Clone, Copy, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = LineKind)]
enum KindWord {
    /// Goods or a service.
    #[default]
    Item,
    /// Shipping: the platform's where no vendor is named.
    Shipping,
    /// A tip: wholly the vendor's.
    Tip,
    /// A plan of the platform's.
    Plan,
    /// Money for the customer's wallet, where the tenant's settings allow it.
    TopUp,
}

/// Whether prices hold the tax.
#[derive(Debug, Clone, Copy, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = Prices)]
enum PricesWord {
    /// They do.
    #[default]
    TaxInclusive,
    /// It comes on top.
    TaxExclusive,
}

/// Something taken off the prices: an amount or a percentage.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = NewDiscount)]
struct DiscountBody {
    /// Whose cost it is. What a vendor funds lowers the price, its tax and the commission's base;
    /// what the platform funds lowers what the customer pays and nothing else.
    funded_by: WhoBears,
    /// How much in minor units.
    #[schema(minimum = 1)]
    amount: Option<i64>,
    /// How much of the prices, in percent.
    #[schema(value_type = Option<String>, example = "10")]
    percent: Option<Rate>,
    /// Of which lines, by number from 1; else of all items.
    #[schema(min_items = 1, max_items = 100)]
    lines: Option<Vec<i16>>,
}

/// What the customer's wallet pays, in minor units.
#[derive(Debug, Clone, Copy, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = WalletPart)]
struct WalletBody {
    /// Of the cash purse.
    #[serde(default)]
    #[schema(minimum = 0, default = 0)]
    cash: i64,
    /// Of the promo purse.
    #[serde(default)]
    #[schema(minimum = 0, default = 0)]
    promo: i64,
}

/// When the money is taken.
#[derive(Debug, Clone, Copy, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = CaptureMethod)]
enum CaptureWord {
    /// As soon as the bank agrees.
    #[default]
    Automatic,
    /// By a capture.
    Manual,
}

impl From<KindWord> for LineKind {
    fn from(word: KindWord) -> Self {
        match word {
            KindWord::Item => Self::Item,
            KindWord::Shipping => Self::Shipping,
            KindWord::Tip => Self::Tip,
            KindWord::Plan => Self::Plan,
            KindWord::TopUp => Self::TopUp,
        }
    }
}

/// Refuses what is no id of the shop's: it becomes a part of account paths and addresses.
fn check_name(param: &str, text: Option<&str>) -> Result<(), Problem> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"_.-".contains(&b);
    if text.is_none_or(|it| (1..=80).contains(&it.len()) && it.bytes().all(plain)) {
        return Ok(());
    }
    let detail = format!("`{param}` has 1 to 80 letters, digits, `_`, `-` and `.`.");
    Err(Problem::new(Code::InvalidField, detail).param(param))
}

impl CreateBody {
    pub(super) fn check(self) -> Result<NewIntent, Problem> {
        let currency = Currency::parse(&self.currency).map_err(|error| {
            Problem::new(Code::UnknownCurrency, error.to_string()).param("currency")
        })?;
        if let Some(amount) = self.amount {
            check_amount("amount", amount)?;
        }
        check_instrument(self.payment_method.as_deref())?;
        check_text("description", self.description.as_deref(), 500)?;
        check_return_url(self.return_url.as_deref())?;
        check_metadata(&self.metadata)?;
        check_country(self.country.as_deref())?;
        check_method(self.payment_method_type.as_deref())?;
        check_name("order", self.order.as_deref())?;
        check_name("customer", self.customer.as_deref())?;
        check_name("affiliate", self.affiliate.as_deref())?;
        check_text("affiliate_code", self.affiliate_code.as_deref(), 80)?;
        check_text("customer_state", self.customer_state.as_deref(), 10)?;
        if self.order.as_deref().is_some_and(|it| it.starts_with("pi_")) {
            let detail = "`order` does not begin with `pi_`: that is how an intent's id begins.";
            return Err(Problem::new(Code::InvalidField, detail).param("order"));
        }
        let lines = self.lines.into_iter().enumerate();
        let discounts = self.discounts.into_iter().enumerate();
        Ok(NewIntent {
            amount: self.amount,
            capture_method: match self.capture_method {
                CaptureWord::Automatic => CaptureMethod::Automatic,
                CaptureWord::Manual => CaptureMethod::Manual,
            },
            prices: match self.prices {
                PricesWord::TaxInclusive => Prices::WithTax,
                PricesWord::TaxExclusive => Prices::WithoutTax,
            },
            discounts: discounts.map(|(n, it)| it.check(n)).collect::<Result<_, _>>()?,
            order: self.order,
            customer: self.customer,
            customer_state: self.customer_state,
            affiliate: self.affiliate,
            affiliate_code: self.affiliate_code,
            wallet: (self.wallet.cash, self.wallet.promo),
            payment_method: self.payment_method,
            return_url: self.return_url,
            description: self.description,
            country: self.country,
            method: self.payment_method_type,
            metadata: self.metadata,
            ..NewIntent::of(currency, lines.map(|(n, it)| it.check(n)).collect::<Result<_, _>>()?)
        })
    }
}

impl LineBody {
    fn check(self, n: usize) -> Result<NewLine, Problem> {
        let param = |field: &str| format!("lines[{n}].{field}");
        check_amount(&param("amount"), self.amount)?;
        check_text(&param("description"), self.description.as_deref(), 500)?;
        check_text(&param("item"), self.item.as_deref(), 100)?;
        check_text(&param("category"), self.category.as_deref(), 100)?;
        let of_vendor = matches!(self.kind, KindWord::Item | KindWord::Tip);
        if of_vendor && self.vendor.is_none() {
            let detail = format!("`{}` is missing: whose is it?", param("vendor"));
            return Err(Problem::new(Code::MissingField, detail).param(param("vendor")));
        }
        if self.quantity < 1 {
            let detail = "`quantity` is at least 1.";
            return Err(Problem::new(Code::InvalidField, detail).param(param("quantity")));
        }
        Ok(NewLine {
            kind: self.kind.into(),
            vendor: self.vendor,
            item: self.item,
            category: self.category,
            quantity: self.quantity,
            contract: self.contract,
            description: self.description,
            amount: self.amount,
            tax: self.tax_percent,
            commission: self.commission_percent,
        })
    }
}

impl DiscountBody {
    fn check(self, n: usize) -> Result<NewDiscount, Problem> {
        let param = format!("discounts[{n}]");
        let off = match (self.amount, self.percent) {
            (Some(amount), None) if (1..=AMOUNT_MAX).contains(&amount) => Off::Amount(amount),
            (None, Some(percent)) => Off::Percent(percent),
            _ => {
                let detail = format!("`{param}` has either an `amount` above 0 or a `percent`.");
                return Err(Problem::new(Code::InvalidField, detail).param(param));
            }
        };
        Ok(NewDiscount { funded_by: self.funded_by, off, lines: self.lines })
    }
}
