//! Why a payout did not arrive: every rail's code in one closed list of ours.

/// Our word for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// An account, a bank or data of the payee that is wrong.
    InvalidDetails,
    /// The account is closed or blocked.
    ClosedOrBlocked,
    /// The account is somebody else's.
    NameMismatch,
    /// We had not enough.
    InsufficientFunds,
    /// The rail takes it for one that it had already.
    Duplicate,
    /// An amount or a currency that the rail does not take.
    Limit,
    /// Fraud, law, or a person who must decide.
    Compliance,
    /// A fault of the file or the rail.
    Technical,
    /// No reason was given.
    Unknown,
}

const ALL: [Reason; 9] = [
    Reason::InvalidDetails,
    Reason::ClosedOrBlocked,
    Reason::NameMismatch,
    Reason::InsufficientFunds,
    Reason::Duplicate,
    Reason::Limit,
    Reason::Compliance,
    Reason::Technical,
    Reason::Unknown,
];

impl Reason {
    /// The word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidDetails => "invalid_details",
            Self::ClosedOrBlocked => "closed_or_blocked",
            Self::NameMismatch => "name_mismatch",
            Self::InsufficientFunds => "insufficient_funds",
            Self::Duplicate => "duplicate",
            Self::Limit => "limit",
            Self::Compliance => "compliance",
            Self::Technical => "technical",
            Self::Unknown => "unknown",
        }
    }

    /// The reason of its word.
    pub fn of_word(word: &str) -> Option<Self> {
        ALL.into_iter().find(|reason| reason.as_str() == word)
    }

    /// The reason of a rail's code: ISO 20022, NACHA, Stripe, or our own word.
    pub fn of_code(code: &str) -> Self {
        if let Some(reason) = Self::of_word(code) {
            return reason;
        }
        match code {
            "AC01"
            | "AC02"
            | "AC03"
            | "AC13"
            | "AC14"
            | "AC15"
            | "RC01"
            | "RC03"
            | "RC04"
            | "RC07"
            | "AGNT"
            | "BE04"
            | "BE05"
            | "BE06"
            | "BE07"
            | "RR01"
            | "RR02"
            | "RR03"
            | "R03"
            | "R04"
            | "R12"
            | "R13"
            | "R20"
            | "R28"
            | "invalid_account_number"
            | "no_account"
            | "resource_missing"
            | "invalid_currency"
            | "incorrect_account_type" => Self::InvalidDetails,
            "AC04"
            | "AC05"
            | "AC06"
            | "AC07"
            | "AC16"
            | "AC17"
            | "R02"
            | "R16"
            | "account_closed"
            | "account_frozen"
            | "bank_account_restricted" => Self::ClosedOrBlocked,
            "BE01" | "BE15" | "R17" | "incorrect_account_holder_name" => Self::NameMismatch,
            "AM04" | "R01" | "insufficient_funds_at_gateway" | "balance_insufficient" => {
                Self::InsufficientFunds
            }
            "AM05" | "R24" | "ARDT" => Self::Duplicate,
            "AM01" | "AM02" | "AM03" | "AM09" | "AM14" | "AM21" | "AG01" | "AG02" => Self::Limit,
            "FR01" | "RR04" | "MD07" | "CUST" | "FOCR" | "LEGL" | "R06" | "R10" | "R23"
            | "declined" => Self::Compliance,
            "AM10" | "FF01" | "FF05" | "DT01" | "TM01" | "NOAS" | "NOOR" | "R11"
            | "could_not_process" => Self::Technical,
            _ => Self::Unknown,
        }
    }

    /// Whether the same payout may work at another time without new details.
    pub const fn retryable(self) -> bool {
        matches!(self, Self::InsufficientFunds | Self::Technical | Self::Unknown)
    }

    /// Whether the payee has to do something first.
    pub const fn needs_vendor_action(self) -> bool {
        matches!(self, Self::InvalidDetails | Self::ClosedOrBlocked | Self::NameMismatch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_of_any_rail_has_one_reason() {
        for (code, reason, retryable, vendor) in [
            ("AC04", "closed_or_blocked", false, true),
            ("AC03", "invalid_details", false, true),
            ("BE01", "name_mismatch", false, true),
            ("AM04", "insufficient_funds", true, false),
            ("AM05", "duplicate", false, false),
            ("R02", "closed_or_blocked", false, true),
            ("account_frozen", "closed_or_blocked", false, true),
            ("balance_insufficient", "insufficient_funds", true, false),
            ("limit", "limit", false, false),
            ("RR04", "compliance", false, false),
            ("MS03", "unknown", true, false),
        ] {
            let found = Reason::of_code(code);
            assert_eq!(found.as_str(), reason, "{code}");
            assert_eq!((found.retryable(), found.needs_vendor_action()), (retryable, vendor));
        }
        assert!(ALL.iter().all(|reason| Reason::of_word(reason.as_str()) == Some(*reason)));
    }
}
