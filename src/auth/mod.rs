//! Who is calling: an API key leads to one tenant, and to nothing of any other.
//!
//! - A key is 32 random bytes behind `mz_test_` or `mz_live_`, shown once when it is made.
//! - Only its SHA-256 is kept: whoever reads the database cannot call.
//! - The one look-up that crosses tenants is a database function that goes from keys' digests
//!   to their tenants; everything after it is bound to one tenant by row-level security.
//! - Callers who come together are looked up together, each anew: no key is remembered.
//!
//! - What a key may do is said by its [`Role`] and its [`Scope`]s, on the one page [`policy`].
//!
//! Actions: [`create_key()`], [`list_keys()`], [`revoke_key`], and [`Caller`] for handlers.

mod api_key;
mod caller;
mod create_key;
mod http;
mod list_keys;
mod lookups;
pub mod policy;
mod role;
mod scope;
mod store;

pub use api_key::{ApiKey, KeyError, Mode};
pub use caller::Caller;
pub use create_key::{
    CreateKey, CreateKeyError, NewKey, create_key, lock_key, revoke_key, roll_key,
};
pub use http::routes;
pub use list_keys::{ListedKey, list_keys};
pub use lookups::KeyLookUps;
pub use role::{Role, Subject};
pub use scope::{Access, Area, Scope, Scopes};
