//! What becomes of the rate as the books grow.

use std::sync::Arc;

use super::place::Books;
use super::post::{Crowd, Posted, Until, Way, post};
use super::row::Figures;
use super::transfers::{Accounts, Pattern};
use crate::cli::end::Failure;

const CROWD: Crowd = Crowd { callers: 512, pattern: Pattern::Spread, way: Way::Lane };

/// Posts so many transfers; the rate is that of the last twentieth, the ratio is to the rate of
/// the first quarter, and the bytes are those of them all.
pub async fn decay(
    books: &mut Books,
    accounts: &Arc<Accounts>,
    transfers: u32,
) -> Result<Figures, Failure> {
    let (first, last) = ((transfers / 4).max(1), (transfers / 20).max(1));
    let middle = transfers.saturating_sub(first + last);
    let mut parts = Vec::new();
    for many in [first, middle, last] {
        if many > 0 {
            let posted = post(books, accounts, CROWD, Until::Posted(i64::from(many))).await?;
            parts.push((f64::from(many), posted));
        }
    }
    let bytes = |(many, posted): &(f64, Posted)| {
        posted.figures.bytes_per_transfer.map(|bytes| bytes * many)
    };
    let total: f64 = parts.iter().filter_map(bytes).sum();
    let rate = |part: Option<&(f64, Posted)>| part.and_then(|(_, posted)| posted.figures.pace);
    let (Some(first), Some(last)) = (rate(parts.first()), rate(parts.last())) else {
        return Err("there are too few transfers to compare".into());
    };
    Ok(Figures {
        ratio: Some(last.per_s / first.per_s),
        bytes_per_transfer: Some(total / parts.iter().map(|(many, _)| many).sum::<f64>()),
        ..Figures::from(last)
    })
}
