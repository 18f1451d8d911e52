//! Who may use the interface: names, what each may do, and for which company.

use std::collections::BTreeSet;
use std::fmt;

use sha2::{Digest as _, Sha256};

use crate::store;

/// Everybody who may use the interface.
#[derive(Debug, Clone, Default)]
pub struct Operators(Vec<Operator>);

/// Somebody who may use the interface. Of the secret only a hash is kept.
#[derive(Clone)]
pub struct Operator {
    /// The name in the log.
    pub name: String,
    /// What this operator may do.
    pub role: Role,
    /// Whose calls this operator sees and touches.
    pub scope: Scope,
    hash: Hash,
}

/// What an operator may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Look.
    Read,
    /// Look, and hear what was said: recordings are not masked.
    Review,
    /// Look, and act on calls.
    Operate,
}

/// Whose calls an operator sees and touches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// Everybody's.
    Every,
    /// Those of the company of this short name (I-10).
    Company(String),
}

impl Scope {
    /// Whether this company's calls are in it.
    pub fn covers(&self, company: &str) -> bool {
        match self {
            Self::Every => true,
            Self::Company(own) => own == company,
        }
    }

    /// Whose rows of the database these are.
    pub(super) fn of_store(&self) -> store::Scope<'_> {
        match self {
            Self::Every => store::Scope::Every,
            Self::Company(own) => store::Scope::Company(own),
        }
    }
}

/// An operator for a company that there is not. Prints without anything of the secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stranger {
    /// The name in the log.
    pub operator: String,
    /// The short name that is nobody's.
    pub company: String,
    /// The one that was perhaps meant.
    pub nearest: Option<String>,
}

impl fmt::Display for Stranger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { operator, company, nearest } = self;
        write!(f, "`{operator}` is for the company `{company}`, and there is none of that name")?;
        match nearest {
            Some(nearest) => write!(f, "; did you mean `{nearest}`?"),
            None => Ok(()),
        }
    }
}

/// What is wrong with one entry of the list. Quotes nothing of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unfit {
    /// Which entry, counted from 1.
    pub entry: usize,
    /// What it must be.
    pub must: &'static str,
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { entry, must } = self;
        write!(f, "entry {entry} {must}")
    }
}

impl Operators {
    /// Reads a list of `name:role:secret` or `name:role@company:secret`, with commas between.
    ///
    /// # Errors
    /// [`Unfit`] for the first entry that is wrong.
    pub fn parse(list: &str) -> Result<Self, Unfit> {
        let mut operators: Vec<Operator> = Vec::new();
        for (place, text) in list.split(',').enumerate() {
            let operator = Operator::parse(text.trim())
                .and_then(|operator| {
                    let is_taken = operators.iter().any(|other| other.hash == operator.hash);
                    if is_taken { Err("must have a secret of its own") } else { Ok(operator) }
                })
                .map_err(|must| Unfit { entry: place + 1, must })?;
            operators.push(operator);
        }
        Ok(Self(operators))
    }

    /// Whether nobody may use the interface.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Those who are for a company that is not among these short names: they see nothing.
    pub fn strangers(&self, companies: &BTreeSet<String>) -> Vec<Stranger> {
        let stranger = |operator: &Operator| match &operator.scope {
            Scope::Company(company) if !companies.contains(company) => Some(Stranger {
                operator: operator.name.clone(),
                company: company.clone(),
                nearest: nearest(company, companies),
            }),
            Scope::Company(_) | Scope::Every => None,
        };
        self.0.iter().filter_map(stranger).collect()
    }

    /// Whose secret this is. How long it takes does not tell how near a wrong one comes: hashes are
    /// compared, each to its end, and all of them.
    pub fn find(&self, secret: &str) -> Option<&Operator> {
        let hash = hash(secret);
        let mut found = None;
        for operator in &self.0 {
            if is_same(&operator.hash, &hash) {
                found = Some(operator);
            }
        }
        found
    }
}

impl Operator {
    fn parse(text: &str) -> Result<Self, &'static str> {
        let mut parts = text.splitn(3, ':');
        let (Some(name), Some(rights), Some(secret)) = (parts.next(), parts.next(), parts.next())
        else {
            return Err("must be name:role:secret");
        };
        if !is_name(name) {
            return Err("must begin with a name of small letters, digits and hyphens");
        }
        let (role, scope) = match rights.split_once('@') {
            Some((role, company)) if is_name(company) => (role, Scope::Company(company.to_owned())),
            Some(_) => return Err("must have the short name of a company behind the @"),
            None => (rights, Scope::Every),
        };
        let role = match role {
            "read" => Role::Read,
            "review" => Role::Review,
            "operate" => Role::Operate,
            _ => return Err("must have the role read, review or operate"),
        };
        if secret.len() < SECRET_MIN || !secret.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err("must have a secret of 32 or more letters, digits and signs");
        }
        Ok(Self { name: name.to_owned(), role, scope, hash: hash(secret) })
    }

    /// Whether this operator may hear recordings.
    pub fn may_hear(&self) -> bool {
        self.role == Role::Review
    }

    /// Whether this operator may act, and not only look.
    pub fn may_operate(&self) -> bool {
        self.role == Role::Operate
    }
}

impl fmt::Debug for Operator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, role, scope, hash: _ } = self;
        write!(f, "{name} ({role:?}, {scope:?})")
    }
}

/// The name that somebody may have meant: the nearest, if a slip in every three letters leads there.
fn nearest(word: &str, names: &BTreeSet<String>) -> Option<String> {
    let slips = |name: &String| (strsim::damerau_levenshtein(word, name), name.clone());
    let (slips, name) = names.iter().map(slips).min()?;
    (slips <= name.len().div_ceil(3)).then_some(name)
}

type Hash = [u8; 32];

fn hash(secret: &str) -> Hash {
    Sha256::digest(secret).into()
}

fn is_same(one: &Hash, other: &Hash) -> bool {
    one.iter().zip(other).fold(0, |sum, (a, b)| sum | (a ^ b)) == 0
}

fn is_name(text: &str) -> bool {
    let is_of_name = |byte: u8| {
        byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-' || byte == b'_'
    };
    (1..=64).contains(&text.len()) && text.bytes().all(is_of_name)
}

/// So short may a secret be: 128 bits, where it is written in hexadecimal digits.
const SECRET_MIN: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "0123456789abcdef0123456789abcdef";
    const TWO: &str = "fedcba9876543210:fedcba9876543210";

    #[test]
    fn an_operator_is_found_by_the_secret_and_by_nothing_else() {
        let list = format!("ann:operate:{ONE}, ben:read@acme:{TWO}");
        let operators = Operators::parse(&list).expect("a sound list");
        let ann = operators.find(ONE).expect("her secret");
        assert_eq!(
            (ann.name.as_str(), ann.may_operate(), &ann.scope),
            ("ann", true, &Scope::Every)
        );
        let ben = operators.find(TWO).expect("his secret");
        assert_eq!((ben.name.as_str(), ben.may_operate()), ("ben", false));
        assert!(ben.scope.covers("acme") && !ben.scope.covers("summit"));
        for wrong in ["", "ann", &ONE[1..], &format!("{ONE}0"), &ONE.to_uppercase()] {
            assert!(operators.find(wrong).is_none(), "{wrong}");
        }
    }

    /// I-28: named by who is for it, and never by the secret.
    #[test]
    fn an_operator_for_a_company_that_is_none_is_named_with_the_nearest_one_i_28() {
        let list = format!("ann:read:{ONE},ben:read@acmee:{TWO},kim:read@harbor:{TWO}x");
        let operators = Operators::parse(&list).expect("a sound list");
        let told = |names: &[&str]| {
            let names = names.iter().map(|name| (*name).to_owned()).collect();
            let strangers = operators.strangers(&names);
            strangers.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        let ben = "`ben` is for the company `acmee`, and there is none of that name";
        assert_eq!(told(&["acme", "harbor"]), [format!("{ben}; did you mean `acme`?")]);
        assert_eq!(told(&["acmee", "harbor"]), [""; 0]);
        assert_eq!(told(&["harbor", "summit-mortgage"]), [ben]);
        assert_eq!(told(&[]).len(), 2, "ann sees everybody's, and is no stranger");
    }

    /// I-28.
    #[test]
    fn what_is_printed_of_operators_holds_no_secret() {
        let operators = Operators::parse(&format!("ann:operate:{ONE}")).expect("a sound list");
        let printed = format!("{operators:?}");
        assert!(printed.contains("ann") && !printed.contains(ONE) && !printed.contains("48"));
    }

    #[test]
    fn a_faulty_entry_is_named_by_its_place_and_not_by_its_words() {
        for (entry, part) in [
            ("ann", "name:role:secret"),
            ("Ann:read:0123456789abcdef0123456789abcdef", "a name"),
            ("ann:admin:0123456789abcdef0123456789abcdef", "read, review or operate"),
            ("ann:read@:0123456789abcdef0123456789abcdef", "company"),
            ("ann:read:0123456789abcdef0123456789abcde", "32"),
            ("ann:read:0123456789abcdef 0123456789abcdef", "32"),
            ("ann:read:0123456789abcdef0123456789abcdef", "of its own"),
        ] {
            let list = format!("first:read:{ONE},{entry}");
            let unfit = Operators::parse(&list).expect_err("a faulty entry");
            assert_eq!(unfit.entry, 2, "{entry}");
            assert!(unfit.must.contains(part), "{entry}: {}", unfit.must);
        }
    }
}
