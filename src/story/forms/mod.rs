//! Every statement a story can have, chapter by chapter: what it looks like and what it does.
//!
//! This is the one place that knows the language: the reader, the writer and the reference of
//! `docs/STORIES.md` are made from it.

mod books;
mod checks;
mod orders;
mod payouts;
mod rules;

use std::sync::LazyLock;

use super::text::Form;

/// Some statements that belong together.
pub struct Chapter {
    /// Its headline in the reference.
    pub title: &'static str,
    /// The statements.
    pub forms: &'static [Form],
}

/// All of the language.
pub const CHAPTERS: &[Chapter] = &[
    Chapter { title: "The story and its time", forms: rules::TIME },
    Chapter { title: "The marketplace, its people and its rules", forms: rules::RULES },
    Chapter { title: "Wallets, cashback and affiliates", forms: rules::WALLETS },
    Chapter { title: "Orders", forms: orders::ORDERS },
    Chapter { title: "Payments", forms: orders::PAYMENTS },
    Chapter { title: "Refunds and disputes", forms: orders::BACK },
    Chapter { title: "Payouts", forms: payouts::PAYOUTS },
    Chapter { title: "Banks, settlements and journals", forms: books::BOOKS },
    Chapter { title: "What must be true", forms: checks::CHECKS },
    Chapter { title: "Everything else", forms: checks::ANYTHING },
];

/// All statements in one list.
pub fn all() -> &'static [Form] {
    static ALL: LazyLock<Vec<Form>> = LazyLock::new(|| {
        let forms = CHAPTERS.iter().flat_map(|chapter| chapter.forms);
        forms.map(|form| Form { ..*form }).collect()
    });
    &ALL
}
