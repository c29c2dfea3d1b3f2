//! What orders come to.

#![allow(clippy::unwrap_used)]

use super::*;

fn aed(lines: &[i64]) -> NewIntent {
    let line = |minor: &i64| NewLine {
        tax: Rate::percent("5").unwrap(),
        commission: Some(Rate::percent("15").unwrap()),
        ..NewLine::item("V1", *minor)
    };
    NewIntent::of(Currency::AED, lines.iter().map(line).collect())
}

fn discount(funded_by: WhoBears, off: Off) -> NewDiscount {
    NewDiscount { funded_by, off, lines: None }
}

fn minor(of: impl Iterator<Item = Money>) -> Vec<i64> {
    of.map(Money::minor).collect()
}

#[test]
fn a_vendors_discount_lowers_price_and_tax_by_largest_remainder() {
    let mut asked = aed(&[122, 122, 122, 122]);
    asked.prices = Prices::WithoutTax;
    asked.discounts = vec![discount(WhoBears::Vendor, Off::Percent(Rate::percent("10").unwrap()))];
    let lines = lines_of(&asked).unwrap();
    assert_eq!(minor(lines.iter().map(|line| line.tax_amount)), [5, 6, 6, 6]);
    assert_eq!(minor(lines.iter().map(|line| line.amount)), [114, 116, 116, 116]);
}

#[test]
fn a_platforms_discount_lowers_only_what_the_customer_pays() {
    let mut asked = aed(&[9_999, 4_999, 3_333]);
    asked.discounts = vec![discount(WhoBears::Platform, Off::Amount(2_000))];
    let lines = lines_of(&asked).unwrap();
    assert_eq!(minor(lines.iter().map(|line| line.amount)), [8_908, 4_454, 2_969]);
    assert_eq!(minor(lines.iter().map(|line| line.tax_amount)), [476, 238, 159]);
}

#[test]
fn what_cannot_be_is_refused_with_where_it_stands() {
    let fault = |change: fn(&mut NewIntent)| {
        let mut asked = aed(&[100, 200]);
        change(&mut asked);
        match new_payment(&asked, Timestamp::UNIX_EPOCH) {
            Err(PaymentError::Invalid { param, .. }) => param,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(fault(|it| it.lines.clear()), "lines");
    assert_eq!(fault(|it| it.amount = Some(301)), "amount");
    assert_eq!(fault(|it| it.lines[1].kind = LineKind::Plan), "lines[1].vendor");
    assert_eq!(fault(|it| it.lines[0].contract = Some("P".into())), "lines[0].contract");
    assert_eq!(fault(|it| it.wallet = (100, 0)), "customer");
    assert_eq!(fault(|it| (it.customer, it.wallet) = (Some("C1".into()), (200, 101))), "wallet");
    let too_much = |it: &mut NewIntent| {
        it.discounts = vec![discount(WhoBears::Platform, Off::Amount(301))];
    };
    assert_eq!(fault(too_much), "discounts[0]");
    let no_line = |it: &mut NewIntent| {
        let of = discount(WhoBears::Vendor, Off::Amount(1));
        it.discounts = vec![NewDiscount { lines: Some(vec![3]), ..of }];
    };
    assert_eq!(fault(no_line), "discounts[0]");
    let free = |it: &mut NewIntent| {
        it.discounts = vec![discount(WhoBears::Platform, Off::Amount(300))];
    };
    assert_eq!(fault(free), "lines");
}
