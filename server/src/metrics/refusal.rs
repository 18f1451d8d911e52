//! Why calls, streams and operators are not taken, as words.

/// Why a call that came in is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallRefusal {
    /// The webhook lacks what we need.
    Unreadable,
    /// It is of another account.
    Account,
    /// The number is nobody's.
    Number,
    /// The call has been here before.
    Over,
    /// The server ends.
    Draining,
    /// There are as many calls as we take.
    Full,
    /// There are as many calls of its company as that may have.
    CompanyFull,
    /// Its token was not used in time.
    Expired,
    /// No stream can be described for it.
    Internal,
}

impl CallRefusal {
    /// The word of the label.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Unreadable => "unreadable",
            Self::Account => "account",
            Self::Number => "number",
            Self::Over => "over",
            Self::Draining => "draining",
            Self::Full => "full",
            Self::CompanyFull => "company-full",
            Self::Expired => "expired",
            Self::Internal => "internal",
        }
    }
}

/// Why a stream is not admitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StreamRefusal {
    /// Its upgrade is not signed as it should be.
    Signature,
    /// It began otherwise than streams do.
    Unfit,
    /// It did not begin in time.
    Silent,
    /// Its token admits nobody.
    Token,
    /// Its audio is in another format.
    Format,
}

impl StreamRefusal {
    /// The word of the label.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Signature => "signature",
            Self::Unfit => "unfit",
            Self::Silent => "silent",
            Self::Token => "token",
            Self::Format => "format",
        }
    }
}

/// Why a request to the operators' interface is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ApiRefusal {
    /// It has no right token.
    Token,
    /// It has none, as many before it.
    Throttled,
    /// Its operator may only look.
    Role,
}

impl ApiRefusal {
    /// The word of the label.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Throttled => "throttled",
            Self::Role => "role",
        }
    }
}
