//! The chart of accounts as data: codes, classes, dimensions, floors and what each is for.

use crate::account::AccountRef;
use crate::entry::Side;

/// What an account is in the balance sheet or the income statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// What the platform has or is owed.
    Asset,
    /// What the platform owes.
    Liability,
    /// The owners' part.
    Equity,
    /// What the platform earned.
    Revenue,
    /// What reduces revenue rather than being a cost.
    ContraRevenue,
    /// What it cost.
    Expense,
}

impl Class {
    /// The word used in reports and in the API.
    pub const fn name(self) -> &'static str {
        match self {
            Class::Asset => "asset",
            Class::Liability => "liability",
            Class::Equity => "equity",
            Class::Revenue => "revenue",
            Class::ContraRevenue => "contra_revenue",
            Class::Expense => "expense",
        }
    }

    /// The side on which the account grows.
    pub const fn normal_side(self) -> Side {
        match self {
            Class::Asset | Class::ContraRevenue | Class::Expense => Side::Debit,
            Class::Liability | Class::Equity | Class::Revenue => Side::Credit,
        }
    }
}

/// Whether the balance may fall below zero on the account's normal side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Floor {
    /// It may: clearing accounts swing.
    None,
    /// It may not: debt is an asset account of its own.
    Zero,
}

/// One dimension of a role: free text (an id), or one of a few words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dimension {
    /// Its name in paths and in the API.
    pub name: &'static str,
    /// The words it can take; empty where it is an id.
    pub words: &'static [&'static str],
}

/// A line of the chart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line {
    /// The role itself.
    pub role: Role,
    /// The number finance sorts by.
    pub code: u16,
    /// The name used in paths.
    pub name: &'static str,
    /// Its class.
    pub class: Class,
    /// Its dimensions, in the order of the path.
    pub dimensions: &'static [Dimension],
    /// Its floor.
    pub floor: Floor,
    /// What it is for.
    pub meaning: &'static str,
}

const fn id(name: &'static str) -> Dimension {
    Dimension { name, words: &[] }
}
const fn words(name: &'static str, words: &'static [&'static str]) -> Dimension {
    Dimension { name, words }
}

const PROVIDER: &[Dimension] = &[id("provider")];
const VENDOR: &[Dimension] = &[id("vendor")];
const CUSTOMER: &[Dimension] = &[id("customer")];
const JURISDICTION: &[Dimension] = &[id("jurisdiction")];
const SOURCE: &[Dimension] = &[id("source")];
const GST: &[Dimension] = &[words("component", &["cgst", "sgst", "igst"])];
const VENDOR_BUCKET: &[Dimension] =
    &[id("vendor"), words("bucket", &["pending", "available", "reserve", "held"])];
const AFFILIATE_BUCKET: &[Dimension] =
    &[id("affiliate"), words("bucket", &["pending", "available"])];
const WALLET: &[Dimension] =
    &[id("customer"), words("kind", &["cash", "promo"]), words("bucket", &["spendable", "held"])];

macro_rules! chart {
    ($(
        $code:literal $role:ident $name:literal $class:ident $dims:expr, $floor:ident,
        $meaning:literal;
    )*) => {
        /// What an account is for. The dimensions say whose.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Role {
            $(#[doc = $meaning] $role,)*
        }

        /// Every line of the chart, in the order of the codes.
        pub const CHART: &[Line] = &[
            $(Line {
                role: Role::$role, code: $code, name: $name, class: Class::$class,
                dimensions: $dims, floor: Floor::$floor, meaning: $meaning,
            },)*
        ];
    };
}

chart! {
    1000 Bank "bank" Asset &[id("bank")], None, "Own bank account, one per account and currency";
    1100 GatewayClearing "gateway_clearing" Asset PROVIDER, None,
        "What a gateway owes us; turns credit when refunds and disputes exceed charges";
    1110 SettlementInTransit "settlement_in_transit" Asset PROVIDER, None,
        "The gateway says paid, the bank line is not seen yet";
    1120 DisputeHold "dispute_hold" Asset PROVIDER, None,
        "Withdrawn by the gateway while a dispute is open";
    1130 ProviderReserve "provider_reserve" Asset PROVIDER, None,
        "Rolling reserve that the gateway keeps";
    1200 VendorReceivable "vendor_receivable" Asset VENDOR, Zero,
        "What a vendor owes us: its balance below zero";
    1205 AffiliateReceivable "affiliate_receivable" Asset &[id("affiliate")], Zero,
        "Commission that was paid out and then taken back";
    1210 TradeReceivable "trade_receivable" Asset CUSTOMER, None, "Invoices on credit";
    1220 CodReceivable "cod_receivable" Asset &[id("courier")], None, "Cash that couriers hold";
    1300 VatInputRecoverable "vat_input_recoverable" Asset JURISDICTION, None,
        "Input VAT or GST credit";
    1400 Inventory "inventory" Asset &[], None, "Own stock, for sales as principal";
    1800 FxClearing "fx_clearing" Asset &[], None, "Conversion position, a balance per currency";
    1900 Suspense "suspense" Asset SOURCE, None, "Money not yet identified; ages to zero";
    2000 VendorPayable "vendor_payable" Liability VENDOR_BUCKET, Zero, "What we owe a vendor";
    2050 PayoutsInTransit "payouts_in_transit" Liability &[id("rail")], None,
        "Sent to a rail, not confirmed";
    2100 CustomerWallet "customer_wallet" Liability WALLET, Zero,
        "A customer's wallet: cash is refundable, promo expires; held is a checkout under way";
    2110 CashbackLiability "cashback_liability" Liability CUSTOMER, Zero,
        "Cashback earned and not vested";
    2120 GiftCardLiability "gift_card_liability" Liability &[], None, "Unused gift cards";
    2150 ProviderPayable "provider_payable" Liability PROVIDER, None,
        "Gateway fees that are billed by invoice";
    2200 AffiliatePayable "affiliate_payable" Liability AFFILIATE_BUCKET, Zero,
        "What we owe affiliates and influencers";
    2300 VatOutputPayable "vat_output_payable" Liability JURISDICTION, None,
        "VAT on the platform's own supplies";
    2310 GstOutputPayable "gst_output_payable" Liability GST, None,
        "GST on the platform's own supplies";
    2320 GstTcsPayable "gst_tcs_payable" Liability GST, None,
        "GST collected at source from vendors";
    2330 TdsPayable "tds_payable" Liability &[id("section")], None,
        "Income tax deducted from vendors";
    2390 VatSettlement "vat_settlement" Liability JURISDICTION, None,
        "Net VAT of a filed return";
    2400 DeferredCommission "deferred_commission" Liability &[], None,
        "Commission charged, not earned before delivery";
    2410 DeferredRevenue "deferred_revenue" Liability &[id("contract")], None,
        "Subscriptions and shipping paid in advance";
    2500 RefundsPayable "refunds_payable" Liability &[], None,
        "Refunds promised, not confirmed by the gateway";
    2600 UnappliedReceipts "unapplied_receipts" Liability SOURCE, None,
        "Money received without an open item";
    3000 RetainedEarnings "retained_earnings" Equity &[], None, "Results of closed years";
    4000 CommissionRevenue "commission_revenue" Revenue &[], None, "Commission earned as agent";
    4010 ShippingRevenue "shipping_revenue" Revenue &[], None, "Shipping sold by the platform";
    4020 SubscriptionRevenue "subscription_revenue" Revenue &[], None, "Plans and listing fees";
    4030 ProductRevenue "product_revenue" Revenue &[], None, "Sales as principal";
    4040 BreakageIncome "breakage_income" Revenue &[], None, "Expired promo credit or gift cards";
    4050 DisputeFeeRecovery "dispute_fee_recovery" Revenue &[], None,
        "Dispute fees charged on to vendors";
    4100 PromotionsExpense "promotions_expense" ContraRevenue &[], None,
        "Coupons that the platform pays for";
    4110 CashbackExpense "cashback_expense" ContraRevenue &[], None, "Cashback granted";
    4900 FxGain "fx_gain" Revenue &[], None, "Realised gain of a conversion";
    5000 CostOfSales "cost_of_sales" Expense &[], None, "Cost of own stock and couriers";
    5100 GatewayFees "gateway_fees" Expense PROVIDER, None, "What gateways keep";
    5200 AffiliateExpense "affiliate_expense" Expense &[], None, "Commission to affiliates";
    5300 DisputeLosses "dispute_losses" Expense &[], None, "Disputes the platform bears";
    5310 DisputeFees "dispute_fees" Expense PROVIDER, None, "What gateways charge for disputes";
    5400 PayoutFees "payout_fees" Expense &[], None, "What rails charge for payouts";
    5410 BankCharges "bank_charges" Expense &[], None, "What banks keep";
    5500 BadDebtVendor "bad_debt_vendor" Expense &[], None, "Vendor debt written off";
    5900 FxLoss "fx_loss" Expense &[], None, "Realised loss of a conversion";
    5910 RoundingDifference "rounding_difference" Expense &[], None,
        "Residue of rounding; may be on either side";
}

impl Role {
    /// Its line in the chart.
    pub fn line(self) -> &'static Line {
        // The macro writes the enum and the table in the same order.
        &CHART[self as usize]
    }

    /// The role of this name.
    pub fn parse(name: &str) -> Option<Role> {
        CHART.iter().find(|line| line.name == name).map(|line| line.role)
    }
}

impl Line {
    /// The form of a path, e.g. `vendor_payable:{vendor}:{bucket}`.
    pub fn form(&self) -> String {
        let mut form = self.name.to_owned();
        for dimension in self.dimensions {
            form.push_str(":{");
            form.push_str(dimension.name);
            form.push('}');
        }
        form
    }
}

/// Where a fact takes the rest from when `account` has not enough: the party's other buckets
/// in the order they are used up, and last the account that takes whatever remains.
///
/// Facts are never refused, and a bucket never goes below zero: what a party has lost beyond
/// its balance is a debt, and debt is an asset account of its own.
pub fn spill(account: &AccountRef) -> Vec<AccountRef> {
    let whose = account.dimension(0).unwrap_or_default();
    let to = |role, dimensions: &[&str]| AccountRef::from_parts(role, dimensions);
    match account.role() {
        Role::VendorPayable => ["pending", "available", "reserve"]
            .iter()
            .filter(|bucket| account.dimension(1) != Some(bucket))
            .map(|bucket| to(Role::VendorPayable, &[whose, bucket]))
            .chain([to(Role::VendorReceivable, &[whose])])
            .collect(),
        Role::AffiliatePayable => ["pending", "available"]
            .iter()
            .filter(|bucket| account.dimension(1) != Some(bucket))
            .map(|bucket| to(Role::AffiliatePayable, &[whose, bucket]))
            .chain([to(Role::AffiliateReceivable, &[whose])])
            .collect(),
        Role::CustomerWallet | Role::CashbackLiability => {
            vec![to(Role::TradeReceivable, &[whose])]
        }
        Role::VendorReceivable => vec![to(Role::VendorPayable, &[whose, "available"])],
        Role::AffiliateReceivable => vec![to(Role::AffiliatePayable, &[whose, "available"])],
        _ => Vec::new(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn every_role_finds_its_own_line_and_codes_ascend() {
        for line in CHART {
            assert_eq!(line.role.line().name, line.name);
            assert_eq!(Role::parse(line.name), Some(line.role));
        }
        assert!(CHART.windows(2).all(|pair| pair[0].code < pair[1].code));
    }

    #[test]
    fn every_account_with_a_floor_says_where_the_rest_goes() {
        for line in CHART.iter().filter(|line| line.floor == Floor::Zero) {
            let values: Vec<&str> =
                line.dimensions.iter().map(|d| d.words.first().copied().unwrap_or("x")).collect();
            let account = AccountRef::from_parts(line.role, &values);
            assert!(!spill(&account).is_empty(), "{} has a floor and no spill", line.name);
        }
    }
}
