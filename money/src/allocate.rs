//! Splits an amount by weights without creating or losing a unit.

use crate::Money;

/// Why an amount cannot be split by these weights.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum AllocateError {
    /// There is nobody to give anything to.
    #[error("{total} cannot be split without weights; give at least one above zero")]
    NoWeights {
        /// The amount to split.
        total: Money,
    },
    /// Every weight is zero, so no proportion is defined.
    #[error("{total} cannot be split by {count} weights that are all zero; give one above zero")]
    AllZero {
        /// The amount to split.
        total: Money,
        /// How many weights there were.
        count: usize,
    },
    /// A weight below zero would turn a share around.
    #[error("weight {weight} at index {index} is below zero; weights are zero or more")]
    NegativeWeight {
        /// Counted from 0.
        index: usize,
        /// The weight found there.
        weight: i64,
    },
}

/// Splits `total` in proportion to `weights`, by largest remainder.
///
/// Every part gets the whole units of its exact share. The units that are left go one each to
/// the largest fractions, and among equal fractions to the first. So the parts add up to
/// `total`, each is within one unit of its exact share, and a weight of zero gets nothing. A
/// negative total is split as its absolute value and mirrored.
///
/// To take a total back in steps, allocate each step over what *remains* of the parts: they
/// reach zero together and no part turns negative. Differences of cumulative splits do not
/// promise that.
///
/// # Errors
/// [`AllocateError`], if the weights define no proportion.
pub fn allocate(total: Money, weights: &[i64]) -> Result<Vec<Money>, AllocateError> {
    let sum = sum_of_weights(total, weights)?;
    let size = i128::from(total.minor()).abs();

    // Both factors have at most 64 bits, so their product fits 128.
    let exact = |weight: i64| size * i128::from(weight);
    let mut shares: Vec<i128> = weights.iter().map(|&weight| exact(weight) / sum).collect();

    let mut by_fraction: Vec<(i128, usize)> =
        weights.iter().enumerate().map(|(index, &weight)| (exact(weight) % sum, index)).collect();
    by_fraction.sort_unstable_by_key(|&(fraction, index)| (std::cmp::Reverse(fraction), index));

    // Fewer units are left than there are fractions above zero: a zero weight gets none.
    let mut left = size - shares.iter().sum::<i128>();
    for (_, index) in by_fraction {
        if left == 0 {
            break;
        }
        shares[index] += 1;
        left -= 1;
    }

    let sign = i128::from(total.minor().signum());
    // No share is larger than the total it is part of, so it fits the total's type.
    Ok(shares
        .into_iter()
        .map(|share| Money::new((share * sign) as i64, total.currency()))
        .collect())
}

fn sum_of_weights(total: Money, weights: &[i64]) -> Result<i128, AllocateError> {
    if weights.is_empty() {
        return Err(AllocateError::NoWeights { total });
    }
    if let Some(index) = weights.iter().position(|&weight| weight < 0) {
        return Err(AllocateError::NegativeWeight { index, weight: weights[index] });
    }
    match weights.iter().map(|&weight| i128::from(weight)).sum() {
        0 => Err(AllocateError::AllZero { total, count: weights.len() }),
        sum => Ok(sum),
    }
}
