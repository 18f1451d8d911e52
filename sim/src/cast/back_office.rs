//! The back office: the company's middleware, with the loans that the scenario gives it.

use call_core::Millis;
use call_transports::middleware::{Loan, LoanAnswer, LoanLookup};

/// A loan and its borrower, as the back office knows them.
#[derive(Debug, Clone)]
pub struct LoanFile {
    /// The loan's number.
    pub number: String,
    /// The borrower's date of birth, `YYYY-MM-DD`.
    pub date_of_birth: String,
    /// The borrower's ZIP code.
    pub zip: String,
    /// What may be told to a verified caller.
    pub loan: Loan,
}

/// The middleware of one company.
#[derive(Debug, Clone, Default)]
pub struct BackOffice {
    /// The loans it knows.
    pub loans: Vec<LoanFile>,
    /// How long it takes to answer.
    pub takes: Millis,
}

impl BackOffice {
    /// Answers a lookup. A loan that does not exist and a wrong factor look alike.
    pub fn lookup(&self, lookup: &LoanLookup) -> LoanAnswer {
        let file = self.loans.iter().find(|file| file.number == lookup.loan_number);
        let date_of_birth_matches = file.is_some_and(|f| f.date_of_birth == lookup.date_of_birth);
        let zip_matches = file.is_some_and(|f| f.zip == lookup.zip);
        let verified = date_of_birth_matches && zip_matches;
        let loan = file.filter(|_| verified).map(|file| file.loan.clone());
        LoanAnswer { date_of_birth_matches, zip_matches, loan }
    }
}
