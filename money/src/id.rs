//! Typed ids such as `pi_018f…`: a prefix that says what it names, then a time-ordered UUID.
//!
//! An id of one kind cannot be passed where another is expected, neither in code nor at the
//! door: reading an id checks its prefix. [`typed_id!`](crate::typed_id) declares further kinds.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Declares id types: `typed_id! { /// An invoice. pub struct InvoiceId("inv"); }`.
///
/// Each is a newtype over a UUID, written as the prefix, an underscore and 32 lower-case
/// hexadecimal digits. The crate that calls the macro needs no dependency beyond this one.
#[macro_export]
macro_rules! typed_id {
    ($($(#[$attribute:meta])* $vis:vis struct $name:ident($prefix:literal);)+) => {$(
        $(#[$attribute])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        $vis struct $name($crate::__private::Uuid);

        #[allow(dead_code)]
        impl $name {
            /// What every id of this kind starts with, without the underscore.
            pub const PREFIX: &'static str = $prefix;

            /// A new id for the moment `now`, after every id made before it in this process.
            #[must_use]
            pub fn generate(now: $crate::Timestamp) -> Self {
                Self($crate::__private::generate(now))
            }

            /// The id that a stored UUID stands for.
            #[must_use]
            pub const fn from_uuid(uuid: $crate::__private::Uuid) -> Self {
                Self(uuid)
            }

            /// The UUID to store.
            #[must_use]
            pub const fn uuid(self) -> $crate::__private::Uuid {
                self.0
            }
        }

        impl ::core::fmt::Display for $name {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                $crate::__private::write($prefix, self.0, f)
            }
        }

        impl ::core::fmt::Debug for $name {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                $crate::__private::write($prefix, self.0, f)
            }
        }

        impl ::core::str::FromStr for $name {
            type Err = $crate::IdError;

            fn from_str(text: &str) -> ::core::result::Result<Self, Self::Err> {
                $crate::__private::parse($prefix, text).map(Self)
            }
        }

        impl $crate::__private::serde::Serialize for $name {
            fn serialize<S: $crate::__private::serde::Serializer>(
                &self,
                serializer: S,
            ) -> ::core::result::Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> $crate::__private::serde::Deserialize<'de> for $name {
            fn deserialize<D: $crate::__private::serde::Deserializer<'de>>(
                deserializer: D,
            ) -> ::core::result::Result<Self, D::Error> {
                $crate::__private::deserialize($prefix, deserializer).map(Self)
            }
        }

        impl $crate::__private::utoipa::PartialSchema for $name {
            fn schema() -> $crate::__private::utoipa::openapi::RefOr<
                $crate::__private::utoipa::openapi::schema::Schema,
            > {
                $crate::__private::schema($prefix)
            }
        }

        impl $crate::__private::utoipa::ToSchema for $name {}
    )+};
}

typed_id! {
    /// What a buyer owes for one checkout, from creation to the end of its refunds.
    pub struct PaymentIntentId("pi");
    /// One try to collect a payment intent through one connection.
    pub struct AttemptId("att");
    /// One instruction to a gateway, asked again under the same key until its outcome is known.
    pub struct OperationId("op");
    /// Money going back to a buyer.
    pub struct RefundId("re");
    /// A buyer's bank taking a payment back.
    pub struct DisputeId("dp");
    /// Money going out to a vendor.
    pub struct PayoutId("po");
    /// Money moved to a vendor's account at a gateway.
    pub struct TransferId("tr");
    /// The payouts of one day.
    pub struct PayoutRunId("prun");
    /// What a bank is given at once.
    pub struct PayoutFileId("pf");
    /// One piece of news about who a payee is.
    pub struct KycId("kyc");
    /// A reason for which a payee is not paid.
    pub struct BlockId("blk");
    /// A seller on the marketplace.
    pub struct VendorId("ven");
    /// A buyer on the marketplace.
    pub struct CustomerId("cus");
    /// One balanced entry in the books.
    pub struct TransactionId("txn");
    /// One account in the books.
    pub struct AccountId("acct");
    /// Something that happened, as told to the outside.
    pub struct EventId("evt");
    /// One webhook sent to one endpoint.
    pub struct DeliveryId("whd");
    /// A credential of a caller; the id is public, the secret is not part of it.
    pub struct ApiKeyId("key");
    /// One call to the service, for finding it again in the logs.
    pub struct RequestId("req");
    /// An account at a gateway, with its credentials, of one tenant.
    pub struct ConnectionId("conn");
}

/// One marketplace that this installation serves, as the plain number the database gave it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TenantId(pub i32);

impl fmt::Display for TenantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A text that is not an id of the expected kind. The text itself is not repeated.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("expected an id such as \"{expected}_\" with 32 lower-case hexadecimal digits: {found}")]
pub struct IdError {
    /// The prefix of the kind that was asked for.
    pub expected: &'static str,
    /// What is wrong with the text.
    pub found: IdFault,
}

/// In which way a text differs from an id.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum IdFault {
    /// No or another prefix: perhaps an id of another kind.
    #[error("it starts differently")]
    Prefix,
    /// Too short or too long after the prefix.
    #[error("{0} bytes follow the prefix")]
    Length(usize),
    /// Upper case, hyphens or other characters after the prefix.
    #[error("other characters follow the prefix")]
    Digits,
}

/// What the macro's code calls, so that each id type stays a few lines.
pub(crate) mod support {
    use std::fmt;
    use std::sync::Mutex;

    use serde::de::Visitor;
    use utoipa::openapi::{RefOr, Type, schema::Object, schema::Schema};
    use uuid::{ContextV7, Uuid};

    use super::{IdError, IdFault};
    use crate::Timestamp;

    const DIGITS: usize = 32;
    /// Version 7 keeps 48 bits of milliseconds: until the year 10889.
    const SECONDS_MAX: i64 = (1 << 48) / 1000 - 1;

    /// Orders ids of one millisecond, and of a clock that stepped back, by their creation.
    static SEQUENCE: Mutex<ContextV7> = Mutex::new(ContextV7::new());

    /// A UUID version 7 of RFC 9562 for the moment `now`.
    ///
    /// Should `now` lie before an earlier call's, the earlier moment is kept: order counts more
    /// than the time in an id, which nobody reads back.
    pub fn generate(now: Timestamp) -> Uuid {
        let seconds = now.timestamp().clamp(0, SECONDS_MAX).unsigned_abs();
        let moment = uuid::Timestamp::from_unix(&SEQUENCE, seconds, now.timestamp_subsec_nanos());
        Uuid::new_v7(moment)
    }

    /// Reads exactly what [`write`] writes: one text per id, so that texts compare as ids do.
    pub fn parse(prefix: &'static str, text: &str) -> Result<Uuid, IdError> {
        let error = |found| IdError { expected: prefix, found };
        let digits = text
            .strip_prefix(prefix)
            .and_then(|rest| rest.strip_prefix('_'))
            .ok_or(error(IdFault::Prefix))?;
        if digits.len() != DIGITS {
            return Err(error(IdFault::Length(digits.len())));
        }
        if !digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
            return Err(error(IdFault::Digits));
        }
        Uuid::try_parse(digits).map_err(|_| error(IdFault::Digits))
    }

    /// The prefix, an underscore and 32 lower-case hexadecimal digits.
    pub fn write(prefix: &str, uuid: Uuid, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{prefix}_{}", uuid.simple())
    }

    /// Reads an id from a string and from nothing else.
    pub fn deserialize<'de, D: serde::Deserializer<'de>>(
        prefix: &'static str,
        deserializer: D,
    ) -> Result<Uuid, D::Error> {
        struct IdText(&'static str);

        impl Visitor<'_> for IdText {
            type Value = Uuid;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "an id that starts with \"{}_\"", self.0)
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Uuid, E> {
                parse(self.0, text).map_err(E::custom)
            }
        }

        deserializer.deserialize_str(IdText(prefix))
    }

    /// A string with the pattern of this kind of id.
    pub fn schema(prefix: &str) -> RefOr<Schema> {
        Object::builder()
            .schema_type(Type::String)
            .pattern(Some(format!("^{prefix}_[0-9a-f]{{{DIGITS}}}$")))
            .examples([format!("{prefix}_0197b3c1d2e47f5a8b9c0d1e2f3a4b5c")])
            .into()
    }
}
