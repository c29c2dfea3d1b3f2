//! A refund takes cashback back in proportion, and a whole one takes all of it.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use proptest::collection::vec;
use proptest::prelude::*;

use super::super::lot::tests::{aed, lot, refund_of, t0};
use super::*;

fn claw_back(lots: &mut [Lot], refunded: i64, before: i64) -> ClawBack {
    let taken = take_back(lots, &refund_of(refunded, before, refunded)).unwrap();
    ClawBack::of(Currency::AED, lots, &taken).unwrap()
}

proptest! {
    #[test]
    fn a_full_refund_in_any_number_of_steps_takes_all_the_cashback(
        amounts in vec(1_i64..5_000, 1..4),
        spent in 0_i64..5_000,
        cuts in vec(1_i64..40_000, 0..6),
    ) {
        let mut lots: Vec<Lot> =
            amounts.iter().map(|amount| lot(*amount, LotState::Vested, t0(), None)).collect();
        lots[0].spent = spent.min(amounts[0]);
        let total: i64 = amounts.iter().sum();
        let (mut left, mut taken) = (total * 20, 0);
        for cut in cuts.into_iter().chain([i64::MAX]) {
            let refunded = cut.min(left);
            let clawed = claw_back(&mut lots, refunded, left);
            left -= refunded;
            let now: i64 = [clawed.pending, clawed.promo, clawed.withheld]
                .iter()
                .map(|part| part.minor())
                .sum();
            prop_assert!(now >= 0);
            taken += now;
        }
        prop_assert_eq!(taken, total);
        prop_assert!(lots.iter().all(|lot| lot.left() == 0 && lot.reclaimable() == 0));
        prop_assert_eq!(lots.iter().map(|lot| lot.withheld).sum::<i64>(), spent.min(amounts[0]));
    }
}

#[test]
fn cashback_of_21_of_which_15_was_spent_gives_6_back_and_withholds_15() {
    let mut lots = [lot(2_100, LotState::Vested, t0(), None)];
    lots[0].spent = 1_500;
    let taken = claw_back(&mut lots, 42_000, 42_000);
    assert_eq!((taken.pending, taken.promo, taken.withheld), (aed(0), aed(600), aed(1_500)));
}

#[test]
fn what_is_left_of_one_lot_is_taken_before_what_was_spent_of_another() {
    let mut lots = [500, 500].map(|amount| lot(amount, LotState::Vested, t0(), None));
    lots[0].spent = 500;
    let taken = claw_back(&mut lots, 4_000, 10_000);
    assert_eq!((taken.promo, taken.withheld), (aed(400), aed(0)));
    let taken = claw_back(&mut lots, 3_000, 6_000);
    assert_eq!((taken.promo, taken.withheld), (aed(100), aed(200)));
    assert_eq!(lots.each_ref().map(|lot| (lot.clawed, lot.withheld)), [(0, 200), (500, 0)]);
}

#[test]
fn what_cannot_be_withheld_waits_for_a_refund_from_which_it_can() {
    let mut lots = [lot(1_000, LotState::Vested, t0(), None)];
    lots[0].spent = 1_000;
    assert_eq!(take_back(&mut lots, &refund_of(5_000, 10_000, 0)).unwrap(), []);
    let taken = take_back(&mut lots, &refund_of(5_000, 5_000, 5_000)).unwrap();
    assert_eq!(taken, [Taken { lot: lots[0].id, taken: 0, withheld: 1_000 }]);
    assert!(take_back(&mut lots, &refund_of(2, 1, 0)).is_err());
    assert!(take_back(&mut lots, &refund_of(-1, 1, 0)).is_err());
}
