//! What we say to the company's middleware, and what it answers. The protocol is ours; it is
//! described for implementers in `docs/middleware.md`.
//!
//! Every request is a `POST` with a JSON body, `Authorization: Bearer KEY`, and the company in
//! [`COMPANY_HEADER`].

use serde::{Deserialize, Serialize};

/// Path of [`LoanLookup`], below the middleware's base URL.
pub const LOOKUP_PATH: &str = "/v1/loans/lookup";

/// The header that names the company whose caller it is, by its short name. A middleware that serves
/// several companies must look among the loans of this one alone (I-10).
pub const COMPANY_HEADER: &str = "offhook-company";

/// Asks for a loan, and whether the caller is its borrower. Holds raw identity data: it is never
/// logged, and prints nothing.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoanLookup {
    /// The loan's number, digits only.
    pub loan_number: String,
    /// The borrower's date of birth as the caller gave it: `YYYY-MM-DD`.
    pub date_of_birth: String,
    /// The borrower's ZIP code as the caller gave it: five digits.
    pub zip: String,
}

impl std::fmt::Debug for LoanLookup {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LoanLookup(«private»)")
    }
}

/// The middleware's answer. Unknown fields are dropped, so that a field that nobody expected can
/// reach neither the model nor a log (fault F-MW-12).
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoanAnswer {
    /// Whether the date of birth is the borrower's. False too when there is no such loan.
    pub date_of_birth_matches: bool,
    /// Whether the ZIP code is the borrower's. False too when there is no such loan.
    pub zip_matches: bool,
    /// The loan; only present when both match.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loan: Option<Loan>,
}

impl std::fmt::Debug for LoanAnswer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LoanAnswer(«private»)")
    }
}

/// What the agent may know of a loan once the caller is verified.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Loan {
    /// The borrower's first name, to be addressed by.
    pub first_name: String,
    /// What is due now, in cents.
    pub due_cents: i64,
    /// Since when it is due: `YYYY-MM-DD`.
    pub due_date: String,
    /// Days past due.
    pub days_late: u32,
}

impl std::fmt::Debug for Loan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Loan(«private»)")
    }
}

impl Loan {
    /// Names of the protected fields, as disclosures are recorded.
    pub const FIELDS: [&'static str; 4] = ["first_name", "due_cents", "due_date", "days_late"];
}
