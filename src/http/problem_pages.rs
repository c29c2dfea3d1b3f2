//! The pages behind a problem's `type`: one for each code, and the list of them.

use std::fmt::Write;
use std::str::FromStr;

use super::{ApiPath, Code};

/// The code whose page is asked for.
pub(super) struct CodeName(Code);

impl FromStr for CodeName {
    type Err = ();

    fn from_str(name: &str) -> Result<Self, ()> {
        Code::from_name(name).map(Self).ok_or(())
    }
}

/// All problems
#[utoipa::path(
    get,
    path = "/problems",
    tag = "problems",
    operation_id = "list_problems",
    security(()),
    responses((status = 200, description = "Each code with its title", body = String)),
)]
pub(super) async fn list() -> String {
    Code::ALL.iter().fold(String::from("Problems\n\n"), |mut text, code| {
        let (status, name) = (code.status().as_u16(), code.as_str());
        // Writing to a string does not fail.
        let _ = writeln!(text, "{status} {name}: {}", code.title());
        text
    })
}

/// One problem: what happened and what to do
#[utoipa::path(
    get,
    path = "/problems/{code}",
    tag = "problems",
    operation_id = "retrieve_problem",
    security(()),
    params(("code" = String, Path, description = "The field `code` of a problem")),
    responses((status = 200, description = "The explanation", body = String)),
)]
pub(super) async fn page(ApiPath(CodeName(code)): ApiPath<CodeName>) -> String {
    code.page()
}
