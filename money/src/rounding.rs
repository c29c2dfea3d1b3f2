//! The four ways to round a quotient to a whole number of minor units.

/// What happens to the part of a figure that is smaller than one minor unit.
///
/// The directions are mirrored for negative figures, so a refund rounds as its charge did.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Rounding {
    /// To the nearest unit; exact halves away from zero. The rule for VAT in the UAE.
    HalfUp,
    /// To the nearest unit; exact halves to the even neighbour. The rule for foreign exchange.
    HalfEven,
    /// Toward zero.
    Down,
    /// Away from zero.
    Up,
}

impl Rounding {
    /// Divides and rounds once. `denominator` is above zero.
    pub fn divide(self, numerator: i128, denominator: i128) -> i128 {
        let quotient = numerator / denominator;
        let rest = (numerator % denominator).abs();
        if rest == 0 {
            return quotient;
        }

        // Compared as `rest` against what is missing to the next unit: doubling could overflow.
        let missing = denominator - rest;
        let away_from_zero = match self {
            Self::HalfUp => rest >= missing,
            Self::HalfEven => rest > missing || (rest == missing && quotient % 2 != 0),
            Self::Down => false,
            Self::Up => true,
        };
        if away_from_zero { quotient + numerator.signum() } else { quotient }
    }
}
