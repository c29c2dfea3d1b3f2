//! The catalogue of problems: every reason for a refusal, once, with its page.

use axum::http::StatusCode;

/// Whether the same request may succeed later without being changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Again {
    /// The request or the state of things must change first.
    No,
    /// The same request, with the same idempotency key, may be sent again after a while.
    Later,
}

/// Whether an answer is kept under the request's idempotency key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Keep {
    /// Decided by a rule on the state of things: the key answers the same for ever.
    Answer,
    /// Nothing was decided: the key stays free.
    Nothing,
}

macro_rules! catalogue {
    ($($(#[doc = $doc:literal])+ $variant:ident = $code:literal, $status:ident, $again:ident,
        $keep:ident, $title:literal, $advice:literal;)+) => {
        /// Why a request was refused. The text form is part of the interface and never changes.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        pub enum Code { $($(#[doc = $doc])+ $variant,)+ }

        impl Code {
            /// Every code, in the order of the catalogue.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The name in the field `code` and in the address of the page.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $code,)+ }
            }

            /// The HTTP status it is answered with.
            #[must_use]
            pub const fn status(self) -> StatusCode {
                match self { $(Self::$variant => StatusCode::$status,)+ }
            }

            /// Whether sending the same request again may help.
            #[must_use]
            pub const fn again(self) -> Again {
                match self { $(Self::$variant => Again::$again,)+ }
            }

            /// Whether the refusal is kept under the request's idempotency key.
            #[must_use]
            pub const fn keep(self) -> Keep {
                match self { $(Self::$variant => Keep::$keep,)+ }
            }

            /// A short sentence that is the same for every occurrence.
            #[must_use]
            pub const fn title(self) -> &'static str {
                match self { $(Self::$variant => $title,)+ }
            }

            /// What happened, for the page.
            #[must_use]
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$variant => concat!($($doc),+),)+ }
            }

            /// What the caller can do about it.
            #[must_use]
            pub const fn advice(self) -> &'static str {
                match self { $(Self::$variant => $advice,)+ }
            }
        }
    };
}

catalogue! {
    /// The body is not JSON.
    MalformedJson = "malformed_json", BAD_REQUEST, No, Nothing, "The body is not valid JSON",
        "Correct the body at the line and column named in the detail.";
    /// The body has a field that this route does not know.
    UnknownField = "unknown_field", BAD_REQUEST, No, Nothing, "The body has an unknown field",
        "Remove the field named in `param`, or correct its spelling.";
    /// A field that this route needs is not there.
    MissingField = "missing_field", BAD_REQUEST, No, Nothing, "A required field is missing",
        "Add the field named in `param`.";
    /// A field has another type or form than it must have.
    InvalidField = "invalid_field", BAD_REQUEST, No, Nothing, "A field has an invalid value",
        "Correct the field named in `param` as the detail says.";
    /// The query has a parameter that this route does not know.
    UnknownParameter = "unknown_parameter", BAD_REQUEST, No, Nothing,
        "The query has an unknown parameter",
        "Remove the parameter named in `param`, or correct its spelling.";
    /// A query parameter has another form than it must have, or contradicts another.
    InvalidParameter = "invalid_parameter", BAD_REQUEST, No, Nothing,
        "A query parameter has an invalid value",
        "Correct the parameter named in `param` as the detail says.";
    /// The currency is not one of the active ISO 4217 currencies that are kept here.
    UnknownCurrency = "unknown_currency", BAD_REQUEST, No, Nothing, "The currency is not known",
        "Use three upper-case letters of an active ISO 4217 currency, such as AED.";
    /// The amount is zero, negative or larger than what may be moved at once.
    InvalidAmount = "invalid_amount", BAD_REQUEST, No, Nothing, "The amount is out of range",
        "Send a positive integer of the currency's minor unit within the limit in the detail.";
    /// The route moves money and the request carries no `Idempotency-Key`.
    IdempotencyKeyMissing = "idempotency_key_missing", BAD_REQUEST, No, Nothing,
        "The Idempotency-Key header is missing",
        "Send a key that is new for each thing you want to happen, and repeat it when you retry.";
    /// The `Idempotency-Key` is empty, too long, repeated or not visible ASCII.
    IdempotencyKeyInvalid = "idempotency_key_invalid", BAD_REQUEST, No, Nothing,
        "The Idempotency-Key header is not valid",
        "Use 1 to 255 visible ASCII characters without spaces, such as a UUID.";
    /// Another request with other content was made under this `Idempotency-Key`.
    IdempotencyKeyReused = "idempotency_key_reused", UNPROCESSABLE_ENTITY, No, Nothing,
        "The Idempotency-Key was used for another request",
        "Use a new key for a new request; repeat a key only with the same method, path and body.";
    /// The first request with this `Idempotency-Key` is still at work.
    IdempotencyKeyInFlight = "idempotency_key_in_flight", CONFLICT, Later, Nothing,
        "The first request with this Idempotency-Key is still running",
        "Wait for the time in `Retry-After` and send the same request again.";

    /// No API key came with the request, or not in a form that can be read.
    ApiKeyMissing = "api_key_missing", UNAUTHORIZED, No, Nothing, "An API key is required",
        "Send `Authorization: Bearer mz_…`, or the key as the user name of basic authentication.";
    /// The API key is unknown or was revoked.
    ApiKeyInvalid = "api_key_invalid", UNAUTHORIZED, No, Nothing, "The API key is not valid",
        "Check that the whole key was copied, or make a new one.";
    /// The API key is good, but not for this.
    NotAllowed = "not_allowed", FORBIDDEN, No, Nothing, "The API key may not do this",
        "Use a key that has the permission named in the detail.";
    /// There is no such object for this caller.
    NotFound = "not_found", NOT_FOUND, No, Nothing, "There is no such object",
        "Check the id and whether it belongs to the marketplace and mode of the API key.";
    /// There is no such path.
    RouteNotFound = "route_not_found", NOT_FOUND, No, Nothing, "There is no such route",
        "Check the path against `/openapi.json`.";
    /// The path exists, but not with this method.
    MethodNotAllowed = "method_not_allowed", METHOD_NOT_ALLOWED, No, Nothing,
        "The route does not know this method",
        "Use one of the methods in the `Allow` header.";
    /// The body has more bytes than are accepted.
    BodyTooLarge = "body_too_large", PAYLOAD_TOO_LARGE, No, Nothing, "The body is too large",
        "Send less at once: the limit is in the detail.";
    /// The body is announced as something other than JSON.
    UnsupportedMediaType = "unsupported_media_type", UNSUPPORTED_MEDIA_TYPE, No, Nothing,
        "The body must be JSON", "Send `Content-Type: application/json`.";

    /// The bank, the card's issuer or the gateway refused the payment for good.
    PaymentDeclined = "payment_declined", PAYMENT_REQUIRED, No, Answer, "The payment was declined",
        "Ask the buyer for another way to pay; `decline_code` says why where the gateway tells.";
    /// The state of the object does not allow this step.
    WrongState = "wrong_state", CONFLICT, No, Answer, "The object is in another state",
        "Read the object; the detail says which states allow this step.";
    /// The gateway is still being asked something about this object.
    OperationUnderWay = "operation_under_way", CONFLICT, Later, Nothing,
        "An operation on the object is under way",
        "Wait for the webhook or the event, or sync the payment, and send the request again.";
    /// More was asked for than is left: to capture, to refund or to pay out.
    AmountExceedsRest = "amount_exceeds_rest", CONFLICT, No, Answer, "More than what is left",
        "Ask for no more than the rest named in the detail.";
    /// An account that may not fall below zero would have.
    InsufficientBalance = "insufficient_balance", CONFLICT, No, Answer, "The balance is too low",
        "Wait for money to arrive on the account named in the detail, or ask for less.";
    /// The day it is dated into is closed.
    PeriodClosed = "period_closed", CONFLICT, No, Answer, "The period is closed",
        "Date it into an open day; the detail names the first open moment.";
    /// The same reference was used before with other content.
    ReferenceReused = "reference_reused", CONFLICT, No, Answer,
        "The reference belongs to something else",
        "Use a reference of your own that is new for each thing.";
    /// Two amounts that belong together are in two currencies.
    CurrencyMismatch = "currency_mismatch", UNPROCESSABLE_ENTITY, No, Answer,
        "Two currencies do not go together", "Use one currency for the whole request.";
    /// The parts do not add up to the whole, or debits and credits differ.
    AmountsDoNotAddUp = "amounts_do_not_add_up", UNPROCESSABLE_ENTITY, No, Answer,
        "The amounts do not add up", "Correct the figures named in the detail.";
    /// The request names something that does not exist.
    UnknownReference = "unknown_reference", UNPROCESSABLE_ENTITY, No, Answer,
        "The request names something that does not exist",
        "Create it first, or correct the field named in `param`.";
    /// The request contradicts itself in a way that no other code names.
    Contradiction = "contradiction", UNPROCESSABLE_ENTITY, No, Answer,
        "The request contradicts itself", "Correct the fields named in the detail.";
    /// The gateway was asked and refused: a wrong instrument, a wrong state, an amount it does
    /// not take. Nothing happened.
    ProviderRefused = "provider_refused", UNPROCESSABLE_ENTITY, No, Answer,
        "The gateway refused the request",
        "Correct what the detail names, and send the request under a new key.";
    /// The gateway behind the connection cannot do this. It was not called.
    UnsupportedByProvider = "unsupported_by_provider", UNPROCESSABLE_ENTITY, No, Answer,
        "The gateway cannot do this", "Use another connection, or another way named in the detail.";

    /// The signature of a webhook does not match its bytes, or is too old.
    SignatureInvalid = "signature_invalid", UNAUTHORIZED, No, Nothing,
        "The webhook's signature is not valid",
        "Send the very bytes that were signed, within the time window, signed with the secret.";
    /// Too many requests in too short a time.
    TooManyRequests = "too_many_requests", TOO_MANY_REQUESTS, Later, Nothing,
        "Too many requests", "Wait for the time in `Retry-After`; spread your requests.";

    /// Something is broken on our side. It was logged under the request id.
    Internal = "internal_error", INTERNAL_SERVER_ERROR, No, Nothing, "Something failed on our side",
        "Report the `request_id`. A retry with the same Idempotency-Key does no harm.";
    /// The gateway could not be asked: no connection to it, none configured, or our key is not
    /// accepted. Nothing happened there.
    ProviderUnavailable = "provider_unavailable", SERVICE_UNAVAILABLE, Later, Nothing,
        "The gateway cannot be reached",
        "Send the same request with the same Idempotency-Key again after `Retry-After`.";
    /// The database is away for the moment. Nothing was changed.
    Unavailable = "unavailable", SERVICE_UNAVAILABLE, Later, Nothing,
        "The service is not available at the moment",
        "Send the same request with the same Idempotency-Key again after `Retry-After`.";
    /// Others are at work on the same rows, and went first each time. Nothing was changed.
    Busy = "busy", SERVICE_UNAVAILABLE, Later, Nothing, "Too much is going on at the same place",
        "Send the same request with the same Idempotency-Key again after `Retry-After`.";
    /// More requests are being answered than the service takes at once.
    Overloaded = "overloaded", SERVICE_UNAVAILABLE, Later, Nothing, "The service is at its limit",
        "Wait for the time in `Retry-After`; spread your requests.";
    /// The answer took too long. The work may still be completed.
    TimedOut = "timed_out", SERVICE_UNAVAILABLE, Later, Nothing, "The answer took too long",
        "Send the same request with the same Idempotency-Key again: it happens only once.";
    /// The database went away while a change was being kept, or after the gateway was asked and
    /// before its answer was written down. It may have happened.
    OutcomeUnknown = "outcome_unknown", SERVICE_UNAVAILABLE, Later, Nothing,
        "It is not known whether the change was kept",
        "Send the same request with the same Idempotency-Key again: it happens only once.";
}

impl Code {
    /// The code of a name, for its page.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.as_str() == name)
    }

    /// The page that explains it, as plain text.
    #[must_use]
    pub fn page(self) -> String {
        let again = match self.again() {
            Again::No => "Sending the same request again does not help.",
            Again::Later => "The same request may be sent again later.",
        };
        let kept = match self.keep() {
            Keep::Answer => "\nThe answer is kept under the request's Idempotency-Key.",
            Keep::Nothing => "",
        };
        format!(
            "{title}\n\nCode: {code}\nStatus: {status}\n\nWhat happened\n {meaning}\n\n\
             What to do\n {advice}\n\n{again}{kept}\n",
            title = self.title(),
            code = self.as_str(),
            status = self.status(),
            meaning = self.meaning(),
            advice = self.advice(),
        )
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_code_has_a_name_of_its_own_and_a_page_that_helps() {
        let names: HashSet<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(names.len(), Code::ALL.len());
        for code in Code::ALL.iter().copied() {
            assert_eq!(Code::from_name(code.as_str()), Some(code));
            assert!(code.as_str().bytes().all(|b| b.is_ascii_lowercase() || b == b'_'));
            assert!(!code.title().ends_with('.'), "{code:?}: a title is not a sentence");
            assert!(code.meaning().trim().ends_with('.') && code.advice().ends_with('.'));
            assert!(code.page().contains(code.advice()));
        }
    }

    #[test]
    fn only_what_a_rule_decided_is_kept_under_a_key() {
        for code in Code::ALL {
            let by_rule = matches!(code.status().as_u16(), 402 | 409 | 422);
            assert!(code.keep() == Keep::Nothing || by_rule, "{code:?}");
            assert!(code.keep() == Keep::Nothing || code.again() == Again::No, "{code:?}");
        }
        assert!(
            Code::ALL.iter().all(|c| !c.status().is_server_error() || c.keep() == Keep::Nothing)
        );
    }
}
