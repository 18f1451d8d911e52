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
    /// What it does with functions that write, by name, one entry for each time.
    pub writes: Vec<(String, Write)>,
    /// What it has really done: keys of the writes that it accepted.
    pub accepted: Vec<String>,
}

/// What the back office does with one write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Write {
    /// After how long.
    pub takes: Millis,
    /// With what answer.
    pub answer: WriteAnswer,
}

/// How a write is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WriteAnswer {
    /// Done.
    Done,
    /// Refused, for this reason.
    Refused(String),
    /// Done, and the answer is lost.
    DoneAndSilent,
    /// Neither done nor answered.
    Silent,
}

impl BackOffice {
    /// Takes a write: after how long it answers, and what; nothing if it never does. A key that it
    /// accepted before is accepted, and nothing is done again.
    pub fn write(&mut self, name: &str, key: &str) -> Option<(Millis, Result<(), String>)> {
        let place = self.writes.iter().position(|(of, _)| of == name);
        let write = place.map_or(Write { takes: self.takes, answer: WriteAnswer::Done }, |place| {
            self.writes.remove(place).1
        });
        let done = matches!(write.answer, WriteAnswer::Done | WriteAnswer::DoneAndSilent);
        if done && !self.accepted.iter().any(|accepted| accepted == key) {
            self.accepted.push(key.to_owned());
        }
        match write.answer {
            WriteAnswer::Done => Some((write.takes, Ok(()))),
            WriteAnswer::Refused(why) => Some((write.takes, Err(why))),
            WriteAnswer::DoneAndSilent | WriteAnswer::Silent => None,
        }
    }

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
