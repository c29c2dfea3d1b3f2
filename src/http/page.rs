//! Lists, page by page: newest first, by the id where the last page ended.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, PartialSchema, ToSchema};

use super::{Code, Problem};

const LIMIT_DEFAULT: u32 = 10;
const LIMIT_MAX: u32 = 100;

/// The parameters of every list. A list with filters has them as fields of its own type and
/// calls [`PageRequest::new`].
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PageQuery<Id: PartialSchema> {
    /// How many at most.
    #[param(minimum = 1, maximum = 100, default = 10)]
    pub limit: Option<u32>,
    /// Continue behind this id: older ones.
    #[param(inline)]
    pub starting_after: Option<Id>,
    /// Go back before this id: newer ones.
    #[param(inline)]
    pub ending_before: Option<Id>,
}

/// Where a page begins.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Cursor<Id> {
    /// At the newest.
    Start,
    /// Behind this one, going to older ones.
    After(Id),
    /// Before this one, going to newer ones.
    Before(Id),
}

/// A checked request for one page.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PageRequest<Id> {
    limit: u32,
    cursor: Cursor<Id>,
}

/// One page of a list.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct List<T> {
    /// Always `list`.
    #[schema(example = "list")]
    pub object: &'static str,
    /// Newest first.
    pub data: Vec<T>,
    /// Whether there is more in the direction of the request.
    pub has_more: bool,
    /// The path of the list.
    pub url: String,
}

impl<Id: PartialSchema> PageQuery<Id> {
    /// Checks the parameters.
    ///
    /// # Errors
    /// 400 for a limit out of range or for both directions at once.
    pub fn check(self) -> Result<PageRequest<Id>, Problem> {
        PageRequest::new(self.limit, self.starting_after, self.ending_before)
    }
}

impl<Id> PageRequest<Id> {
    /// Checks the parameters of a list.
    ///
    /// # Errors
    /// 400 for a limit out of range or for both directions at once.
    pub fn new(
        limit: Option<u32>,
        starting_after: Option<Id>,
        ending_before: Option<Id>,
    ) -> Result<Self, Problem> {
        let invalid = |param: &str, detail: String| {
            Err(Problem::new(Code::InvalidParameter, detail).param(param))
        };
        let limit = limit.unwrap_or(LIMIT_DEFAULT);
        if !(1..=LIMIT_MAX).contains(&limit) {
            return invalid("limit", format!("`limit` is {limit}; it goes from 1 to {LIMIT_MAX}."));
        }
        let cursor = match (starting_after, ending_before) {
            (None, None) => Cursor::Start,
            (Some(id), None) => Cursor::After(id),
            (None, Some(id)) => Cursor::Before(id),
            (Some(_), Some(_)) => {
                return invalid(
                    "ending_before",
                    "Use `starting_after` or `ending_before`, not both.".to_owned(),
                );
            }
        };
        Ok(Self { limit, cursor })
    }

    /// How many rows to ask the store for: one more than the page has, to know whether there
    /// is more.
    #[must_use]
    pub const fn rows(&self) -> i64 {
        self.limit as i64 + 1
    }

    /// Where the page begins. For [`Cursor::Before`] the store returns the nearest first, that
    /// is in ascending order.
    #[must_use]
    pub const fn cursor(&self) -> &Cursor<Id> {
        &self.cursor
    }

    /// Makes the page from what the store returned for [`PageRequest::rows`].
    #[must_use]
    pub fn list<T>(&self, mut rows: Vec<T>, url: impl Into<String>) -> List<T> {
        let limit = self.limit as usize;
        let has_more = rows.len() > limit;
        rows.truncate(limit);
        if matches!(self.cursor, Cursor::Before(_)) {
            rows.reverse();
        }
        List { object: "list", data: rows, has_more, url: url.into() }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;

    #[test]
    fn a_page_knows_whether_there_is_more_and_keeps_newest_first() {
        let page = PageRequest::<u32>::new(Some(2), None, None).unwrap();
        assert_eq!(page.rows(), 3);
        let list = page.list(vec![9, 8, 7], "/v1/things");
        assert_eq!((list.data, list.has_more), (vec![9, 8], true));
        assert!(!page.list(vec![9, 8], "/v1/things").has_more);
        let back = PageRequest::new(Some(2), None, Some(3)).unwrap();
        assert_eq!(back.list(vec![4, 5, 6], "/v1/things").data, vec![5, 4]);
    }

    #[test]
    fn a_limit_out_of_range_and_two_directions_are_refused() {
        for limit in [0, 101, u32::MAX] {
            let refusal = PageRequest::<u32>::new(Some(limit), None, None).unwrap_err();
            assert_eq!(refusal.code(), Code::InvalidParameter);
        }
        assert!(PageRequest::new(None, Some(1), Some(2)).is_err());
        assert_eq!(PageRequest::<u32>::new(None, None, None).unwrap().rows(), 11);
    }
}
