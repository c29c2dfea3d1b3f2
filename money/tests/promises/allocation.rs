//! Splitting amounts: nothing is created, nothing is lost, nobody is shorted by more than a unit.

use mizan_money::{AllocateError, Currency, Money, allocate};
use proptest::prelude::*;

use crate::aed;

const AED: Currency = Currency::AED;

fn minors(total: i64, weights: &[i64]) -> Vec<i64> {
    let parts = allocate(Money::new(total, AED), weights).unwrap();
    assert!(parts.iter().all(|part| part.currency() == AED));
    parts.into_iter().map(Money::minor).collect()
}

#[test]
fn missing_units_go_to_the_largest_fractions_and_among_equals_to_the_first() {
    assert_eq!(minors(4000, &[75, 30]), [2857, 1143]);
    assert_eq!(minors(2, &[1, 1, 1]), [1, 1, 0]);
    assert_eq!(minors(5, &[3, 7]), [2, 3]);
    assert_eq!(minors(10, &[1, 5, 3]), [1, 6, 3]);
    assert_eq!(minors(0, &[1, 2]), [0, 0]);
}

#[test]
fn a_negative_total_is_split_as_its_mirror_image() {
    assert_eq!(minors(-10_000, &[1, 1, 1]), [-3334, -3333, -3333]);
}

#[test]
fn the_extremes_of_amounts_and_weights_split_without_overflow() {
    assert_eq!(minors(i64::MIN, &[i64::MAX]), [i64::MIN]);
    assert_eq!(minors(i64::MAX, &[i64::MAX, i64::MAX]), [i64::MAX / 2 + 1, i64::MAX / 2]);
}

#[test]
fn weights_that_define_no_proportion_are_refused() {
    let total = aed("20.00");
    assert_eq!(allocate(total, &[]), Err(AllocateError::NoWeights { total }));
    assert_eq!(allocate(total, &[0, 0]), Err(AllocateError::AllZero { total, count: 2 }));
    assert_eq!(
        allocate(total, &[1, -2]),
        Err(AllocateError::NegativeWeight { index: 1, weight: -2 })
    );
    assert_eq!(
        allocate(total, &[0, 0]).unwrap_err().to_string(),
        "20.00 AED cannot be split by 2 weights that are all zero; give one above zero"
    );
}

fn any_total() -> impl Strategy<Value = i64> {
    prop_oneof![any::<i64>(), -1000..1000_i64]
}

fn any_weights() -> impl Strategy<Value = Vec<i64>> {
    let weight = prop_oneof![0..10_i64, 0..1_000_000_i64, 0..=i64::MAX];
    prop::collection::vec(weight, 1..12)
        .prop_filter("a proportion", |weights| weights.iter().any(|&weight| weight > 0))
}

proptest! {
    #[test]
    fn the_parts_add_up_to_the_total(total in any_total(), weights in any_weights()) {
        let parts = minors(total, &weights);
        prop_assert_eq!(parts.len(), weights.len());
        prop_assert_eq!(parts.iter().map(|&p| i128::from(p)).sum::<i128>(), i128::from(total));
    }

    #[test]
    fn no_part_has_the_sign_opposite_to_the_total(total in any_total(), weights in any_weights()) {
        for part in minors(total, &weights) {
            prop_assert!(part == 0 || part.signum() == total.signum());
        }
    }

    #[test]
    fn each_part_is_within_one_unit_of_its_exact_share(
        total in any_total(),
        weights in any_weights(),
    ) {
        let sum: i128 = weights.iter().map(|&weight| i128::from(weight)).sum();
        for (part, weight) in minors(total, &weights).into_iter().zip(&weights) {
            let exact_times_sum = i128::from(total) * i128::from(*weight);
            let (floor, ceiling) = (
                exact_times_sum.div_euclid(sum),
                exact_times_sum.div_euclid(sum) + i128::from(exact_times_sum.rem_euclid(sum) > 0),
            );
            prop_assert!((floor..=ceiling).contains(&i128::from(part)));
        }
    }

    #[test]
    fn adding_a_zero_weight_changes_nothing(
        total in any_total(),
        weights in any_weights(),
        place in any::<prop::sample::Index>(),
    ) {
        let place = place.index(weights.len() + 1);
        let mut with_zero = weights.clone();
        with_zero.insert(place, 0);

        let mut parts = minors(total, &with_zero);
        prop_assert_eq!(parts.remove(place), 0);
        prop_assert_eq!(parts, minors(total, &weights));
    }

    #[test]
    fn equal_weights_differ_by_at_most_one_unit_and_the_first_gets_it(
        total in any_total(),
        weight in 1..=i64::MAX,
        count in 1_usize..30,
    ) {
        let sizes: Vec<u64> =
            minors(total, &vec![weight; count]).into_iter().map(i64::unsigned_abs).collect();
        prop_assert!(sizes.is_sorted_by(|earlier, later| earlier >= later));
        prop_assert!(sizes[0] - sizes[count - 1] <= 1);
    }

    #[test]
    fn the_same_question_gets_the_same_answer(total in any_total(), weights in any_weights()) {
        prop_assert_eq!(minors(total, &weights), minors(total, &weights));
    }

    #[test]
    fn a_negative_total_mirrors_the_positive_one(
        total in 0..=i64::MAX,
        weights in any_weights(),
    ) {
        let mirrored: Vec<i64> = minors(-total, &weights).into_iter().map(|part| -part).collect();
        prop_assert_eq!(mirrored, minors(total, &weights));
    }

    #[test]
    fn a_larger_weight_never_gets_less(total in 0..=i64::MAX, weights in any_weights()) {
        let parts = minors(total, &weights);
        for (a, weight_a) in parts.iter().zip(&weights) {
            for (b, weight_b) in parts.iter().zip(&weights) {
                prop_assert!(weight_a <= weight_b || a >= b);
            }
        }
    }

    /// Each refund is allocated over what remains of the parts.
    #[test]
    fn repeated_refunds_bring_all_parts_to_zero_together(
        total in 1..100_000_i64,
        weights in any_weights(),
        cuts in prop::collection::vec(1..5_000_i64, 0..20),
    ) {
        let mut remaining = minors(total, &weights);
        let mut left = total;
        for refund in cuts.into_iter().chain([i64::MAX]) {
            let refund = refund.min(left);
            if refund == 0 {
                break;
            }
            for (part, rest) in minors(refund, &remaining).into_iter().zip(&mut remaining) {
                prop_assert!(part >= 0, "a refund never gives a party money");
                prop_assert!(part <= *rest, "a refund never takes more than a party has left");
                *rest -= part;
            }
            left -= refund;
            prop_assert_eq!(remaining.iter().sum::<i64>(), left);
        }
        prop_assert!(remaining.iter().all(|&rest| rest == 0));
    }
}
