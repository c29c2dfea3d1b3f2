//! A story as text: read into statements, and written back in its standard form.
//!
//! The forms of [`super::forms`] say what may stand; this part knows how any form is read. It
//! knows no gateway, no route and no clock.

mod error;
mod form;
mod lexer;
mod parse;
mod pattern;
mod value;
mod write;

#[cfg(test)]
mod tests;

pub use form::{Form, Statement, Story};
pub use parse::parse;
pub use value::{Account, Party, Value};
