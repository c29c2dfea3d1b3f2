//! A refund takes commissions back in proportion, and a whole one takes all of them.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use mizan_money::Rounding;
use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

fn t0() -> Timestamp {
    "2026-02-03T09:00:00Z".parse().unwrap()
}

fn aed(minor: i64) -> Money {
    Money::new(minor, Currency::AED)
}

fn accrual(line: i16, base: i64, change: impl FnOnce(&mut Accrual)) -> Accrual {
    let rate = Rate::percent("8").unwrap();
    let mut made = Accrual {
        id: AccrualId::generate(t0()),
        payment: PaymentIntentId::generate(t0()),
        line,
        affiliate: "A1".into(),
        currency: Currency::AED,
        rate,
        funded_by: FundedBy::Platform,
        base,
        amount: rate.of(aed(base), Rounding::HalfUp).unwrap().minor(),
        reversed: 0,
        bucket: Bucket::Pending,
        accrued_at: t0(),
        release_at: Some(t0()),
    };
    change(&mut made);
    made
}

fn back(line: i16, refunded: i64, before: i64) -> LineBack {
    LineBack { line, refunded: aed(refunded), refundable_before: aed(before), booked: None }
}

fn reversed(accruals: &mut [Accrual], lines: &[LineBack]) -> Vec<Reversed> {
    let taken = reverse(accruals, lines).unwrap();
    sums_of(accruals, &taken).unwrap()
}

#[test]
fn a_fifth_of_the_order_takes_8_of_40() {
    let mut accruals = [accrual(1, 50_000, |_| {})];
    let taken = reversed(&mut accruals, &[back(1, 10_500, 52_500)]);
    let (affiliate, bucket, funded_by) = ("A1".into(), Bucket::Pending, FundedBy::Platform);
    assert_eq!(taken, [Reversed { affiliate, amount: aed(800), bucket, funded_by }]);
    assert_eq!(accruals[0].remaining(), aed(3_200));
    accruals[0].restore(aed(800)).unwrap();
    assert_eq!(accruals[0].remaining(), aed(4_000));
    assert!(accruals[0].restore(aed(1)).is_err());
}

#[test]
fn it_is_taken_from_where_it_sits_and_from_no_other_line() {
    let mut accruals = [
        accrual(1, 1_000, |_| {}),
        accrual(2, 1_000, |it| it.bucket = Bucket::Available),
        accrual(3, 1_000, |it| it.funded_by = FundedBy::Vendor),
        accrual(4, 1_000, |_| {}),
    ];
    let booked = LineBack { booked: Some(aed(79)), ..back(3, 1_050, 1_050) };
    let whole = |line| back(line, 1_050, 1_050);
    let taken = reversed(&mut accruals, &[whole(1), whole(2), booked, whole(9)]);
    let sums: Vec<_> =
        taken.iter().map(|it| (it.amount.minor(), it.bucket, it.funded_by)).collect();
    assert_eq!(
        sums,
        [
            (80, Bucket::Pending, FundedBy::Platform),
            (79, Bucket::Pending, FundedBy::Vendor),
            (80, Bucket::Available, FundedBy::Platform),
        ]
    );
    assert_eq!(accruals.each_ref().map(|it| it.reversed), [80, 80, 79, 0]);
    assert!(reverse(&mut accruals, &[back(4, 2, 1)]).is_err());
    assert!(reverse(&mut accruals, &[back(4, -1, 1)]).is_err());
    assert!(reverse(&mut accruals, &[LineBack { booked: Some(aed(2)), ..booked }]).is_err());
}

proptest! {
    #[test]
    fn any_number_of_refunds_of_all_takes_all(
        bases in vec(0_i64..100_000, 1..5),
        cuts in vec((0_usize..5, 1_i64..60_000), 0..12),
    ) {
        let mut accruals: Vec<Accrual> =
            (1..).zip(&bases).map(|(n, base)| accrual(n, *base, |_| {})).collect();
        let earned: i64 = accruals.iter().map(|it| it.amount).sum();
        let mut left: Vec<i64> = bases.iter().map(|base| base + 1).collect();
        let rest = (0..bases.len()).map(|n| (n, i64::MAX));
        let mut taken = 0;
        for (n, cut) in cuts.into_iter().filter(|(n, _)| *n < bases.len()).chain(rest) {
            let refunded = cut.min(left[n]);
            let line = back(i16::try_from(n + 1).unwrap(), refunded, left[n]);
            left[n] -= refunded;
            for (_, part) in reverse(&mut accruals, &[line]).unwrap() {
                prop_assert!(part.is_positive());
                taken += part.minor();
            }
            prop_assert!(accruals.iter().all(|it| (0..=it.amount).contains(&it.reversed)));
        }
        prop_assert_eq!(taken, earned);
    }
}
