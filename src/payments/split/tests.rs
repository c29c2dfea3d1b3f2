//! Splits add up, and refunds take every party to zero.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use mizan_money::{Currency, Rate, Timestamp};
use proptest::prelude::*;

use super::*;
use crate::commissions::{NewTaxPolicy, Regime, Rulebook, TaxPolicy, TaxPolicyId, Whose};
use crate::payments::create::{NewIntent, NewLine, lines_of};
use crate::vendors::{Terms, WhoseCommission};

const NOBODY: Order<'_> = Order { customer: None, attribution: None };

fn aed(minor: i64) -> Money {
    Money::new(minor, Currency::AED)
}

fn percent(text: &str) -> Rate {
    Rate::percent(text).unwrap()
}

fn lines(of: &[(&str, i64, &str, &str)]) -> Vec<Line> {
    let line = |(vendor, amount, tax, commission): &(&str, i64, &str, &str)| NewLine {
        tax: percent(tax),
        commission: Some(percent(commission)),
        ..NewLine::item(vendor, *amount)
    };
    lines_of(&NewIntent::of(Currency::AED, of.iter().map(line).collect())).unwrap()
}

fn book() -> Rulebook {
    let (terms, rules, taxes) = (BTreeMap::new(), Vec::new(), Vec::new());
    Rulebook { jurisdiction: "AE".into(), vat: percent("5"), terms, rules, taxes }
}

fn deals(lines: &[Line], book: &Rulebook) -> Vec<Deal> {
    let deal = |line: &Line| {
        let whose = Whose {
            vendor: line.vendor.as_deref(),
            category: None,
            percent: line.commission,
            customer_state: Some("MH"),
            currency: Currency::AED,
        };
        book.deal(whose, Timestamp::UNIX_EPOCH)
    };
    lines.iter().map(deal).collect()
}

fn split(lines: &mut [Line], captured: i64, how: Overcharge) -> Result<(), SplitError> {
    let deals = deals(lines, &book());
    split_capture(lines, &deals, aed(captured), NOBODY, how)
}

fn minors(line: &Line) -> Vec<i64> {
    line.parts.iter().map(|part| part.amount.minor()).collect()
}

fn total(line: &Line) -> i64 {
    minors(line).iter().sum()
}

#[test]
fn an_order_of_525_with_ten_percent_gives_47250_5000_250() {
    let mut lines = lines(&[("V1", 52_500, "5", "10")]);
    split(&mut lines, 52_500, Overcharge::Cut).unwrap();
    assert_eq!(lines[0].captured_tax, aed(2_500));
    assert_eq!(minors(&lines[0]), [47_250, 5_000, 250]);
}

#[test]
fn vat_on_commission_is_rounded_once_per_vendor() {
    // 0.10 commission each: 0.005 VAT a line would round to 0.01 twice.
    let mut lines = lines(&[("V", 105, "5", "10"), ("V", 105, "5", "10")]);
    split(&mut lines, 210, Overcharge::Cut).unwrap();
    let vat: i64 = lines.iter().map(|l| l.amount_of(Component::CommissionVat).minor()).sum();
    assert_eq!(vat, 1);
}

#[test]
fn gst_comes_in_halves_and_what_is_withheld_is_of_the_net() {
    let mut book = book();
    book.jurisdiction = "IN".into();
    book.taxes = vec![TaxPolicy {
        id: TaxPolicyId::generate(Timestamp::UNIX_EPOCH),
        says: NewTaxPolicy {
            jurisdiction: "IN".into(),
            regime: Regime::Gst,
            percent: percent("18"),
            home_state: Some("MH".into()),
            tcs: percent("0.5"),
            tds: percent("0.1"),
            tds_section: "ecommerce".into(),
            valid_from: Timestamp::UNIX_EPOCH,
            valid_until: None,
        },
        created_at: Timestamp::UNIX_EPOCH,
        created_by: "tests".into(),
    }];
    let mut lines = lines(&[("V1", 118_000, "18", "10")]);
    let deals = deals(&lines, &book);
    split_capture(&mut lines, &deals, aed(118_000), NOBODY, Overcharge::Cut).unwrap();
    let of = |component| lines[0].amount_of(component).minor();
    assert_eq!([of(Component::CommissionCgst), of(Component::CommissionSgst)], [900, 900]);
    assert_eq!([of(Component::TcsCgst), of(Component::TcsSgst)], [250, 250]);
    assert_eq!([of(Component::Tds), of(Component::Commission)], [100, 10_000]);
    assert_eq!(of(Component::VendorShare), 118_000 - 10_000 - 1_800 - 500 - 100);
}

#[test]
fn a_commission_above_the_price_is_refused_at_the_door() {
    let mut lines = lines(&[("V", 10_000, "0", "100")]);
    let refusal = split(&mut lines, 10_000, Overcharge::Refuse).unwrap_err();
    assert!(matches!(refusal, SplitError::CommissionAbovePrice { line: 1, .. }));
}

#[test]
fn captured_money_can_always_be_split() {
    // The whole fits; of a part, the VAT's one unit falls on a line that has no room for it.
    let mut of: Vec<(&str, i64, &str, &str)> = vec![("V", 1, "0", "50"); 12];
    of.push(("V", 19, "0", "10"));
    let mut lines = lines(&of);
    split(&mut lines.clone(), 31, Overcharge::Refuse).unwrap();
    for captured in 1..=31 {
        split(&mut lines, captured, Overcharge::Cut).unwrap();
        assert_eq!(lines.iter().map(total).sum::<i64>(), captured);
        assert!(lines.iter().all(|line| minors(line).iter().all(|part| *part >= 0)));
    }
}

#[test]
fn a_commission_that_is_kept_is_at_the_vendors_cost() {
    let mut book = book();
    let terms = Terms { refund_commission: WhoseCommission::Kept, ..Terms::default() };
    book.terms = BTreeMap::from([("V1".to_owned(), vec![(Timestamp::UNIX_EPOCH, terms)])]);
    let mut lines = lines(&[("V1", 52_500, "5", "10")]);
    let deals = deals(&lines, &book);
    split_capture(&mut lines, &deals, aed(52_500), NOBODY, Overcharge::Cut).unwrap();
    let given = give_back(&lines, aed(52_500), None).unwrap();
    let taken = lines[0].taken(&given[0]).unwrap();
    assert!(taken.iter().all(|share| share.account.path() == "vendor_payable:V1:pending"));
    lines[0].give(&given[0], 1).unwrap();
    assert_eq!(lines[0].earned_of(Component::Commission), aed(5_000));
    assert_eq!(lines[0].vendor_left(), aed(-5_250));
}

#[test]
fn lines_that_cannot_give_so_much_are_refused() {
    let mut lines = lines(&[("V", 1_000, "5", "10"), ("V", 2_000, "5", "10")]);
    split(&mut lines, 3_000, Overcharge::Cut).unwrap();
    let refused = |amount, wanted: &[Wanted]| give_back(&lines, aed(amount), Some(wanted)).is_err();
    assert!(refused(1_001, &[(1, Some(1_001))]), "more than the line has");
    assert!(refused(1_000, &[(3, None)]), "no such line");
    assert!(refused(2_000, &[(1, None), (1, None)]), "twice the same");
    assert!(refused(999, &[(1, None)]), "the lines do not add up");
    assert!(!refused(1_500, &[(1, None), (2, Some(500))]));
}

proptest! {
    #[test]
    fn a_split_adds_up_and_nobody_pays_in(
        prices in prop::collection::vec((1i64..500_000, 0usize..3, 0u32..40), 1..8),
        off in 0i64..100,
        percent_captured in 1i64..=100,
    ) {
        let vendors = ["V0", "V1", "V2"];
        let rates: Vec<String> = prices.iter().map(|it| it.2.to_string()).collect();
        let of: Vec<_> = prices.iter().zip(&rates)
            .map(|((price, vendor, _), rate)| (vendors[*vendor], *price, "5", rate.as_str()))
            .collect();
        let mut lines = lines(&of);
        for line in &mut lines {
            let platform = line.amount.minor() * off / 100;
            line.platform_discount = aed(platform);
            line.amount = aed(line.amount.minor() - platform);
        }
        let total_amount: i64 = lines.iter().map(|line| line.amount.minor()).sum();
        prop_assume!(total_amount > 0);
        let captured = (total_amount * percent_captured / 100).max(1);
        split(&mut lines, captured, Overcharge::Cut).unwrap();
        let mut sum = 0;
        for line in &lines {
            prop_assert_eq!(total(line), line.captured.minor() + line.coupon.minor());
            prop_assert!(minors(line).iter().all(|part| *part >= 0));
            sum += line.captured.minor();
        }
        prop_assert_eq!(sum, captured);
    }

    #[test]
    fn any_sequence_of_refunds_takes_each_party_to_exactly_zero(
        prices in prop::collection::vec((1i64..100_000, 0usize..3), 1..6),
        off in 0i64..100,
        cuts in prop::collection::vec(1i64..60_000, 1..12),
    ) {
        let vendors = ["V0", "V1", "V2"];
        let of: Vec<_> = prices.iter()
            .map(|(price, vendor)| (vendors[*vendor], *price, "5", "12.5")).collect();
        let mut lines = lines(&of);
        for line in &mut lines {
            let platform = line.amount.minor() * off / 100;
            line.platform_discount = aed(platform);
            line.amount = aed(line.amount.minor() - platform);
        }
        let mut left: i64 = lines.iter().map(|line| line.amount.minor()).sum();
        prop_assume!(left > 0);
        split(&mut lines, left, Overcharge::Cut).unwrap();
        for cut in cuts.into_iter().chain([i64::MAX]) {
            let amount = cut.min(left);
            if amount == 0 { continue }
            left -= amount;
            let mut given = 0;
            for part in give_back(&lines, aed(amount), None).unwrap() {
                let line = &mut lines[part.n as usize - 1];
                line.give(&part, 1).unwrap();
                given += part.paid.minor();
                for Part { back, amount, .. } in &line.parts {
                    prop_assert!(!back.is_negative() && back.minor() <= amount.minor());
                }
            }
            prop_assert_eq!(given, amount);
        }
        for line in &lines {
            prop_assert!(line.parts.iter().all(|part| part.back == part.amount), "{:?}", line);
            prop_assert_eq!(line.coupon_back, line.coupon);
        }
    }
}
