//! Versions of companies in the database: imported once, activated, rolled back.

use call_core::effect::Function;
use call_transports::functions::definition;
use tracing::warn;

use super::{Errors, Tenant};
use crate::store::{self, Activate, Activated, FunctionDefinition, Kept, NewVersion, Store};
use crate::times::now_us;

/// Which command makes a version active.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    /// Somebody activates it.
    Activate,
    /// Somebody goes back to what was active before.
    Rollback,
    /// A server starts with its file.
    Start,
}

/// Why versions stay as they are.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The version was imported with other content.
    #[error(
        "{company} v{version} was imported before with other content, and a version does not change: \
         raise `version` in the file"
    )]
    Other {
        /// The company.
        company: String,
        /// The version.
        version: u32,
    },
    /// Nothing of the company was imported.
    #[error("no company `{0}` was imported; `server company list` shows those that were")]
    NoCompany(String),
    /// The version was not imported.
    #[error("{company} v{version} was not imported; there is {there}")]
    NoVersion {
        /// The company.
        company: String,
        /// The version.
        version: i64,
        /// Those that were.
        there: String,
    },
    /// A number is another company's.
    #[error(
        "{number} is a number of the active version of `{by}`: two companies cannot answer one number"
    )]
    Claimed {
        /// The number.
        number: String,
        /// Whose it is.
        by: String,
    },
    /// What is stored is no company that this server can serve.
    #[error("{company} v{version} cannot be served: {source}")]
    Unsound {
        /// The company.
        company: String,
        /// The version.
        version: i64,
        /// What is wrong with it.
        source: Unsound,
    },
    /// There is nothing to go back to.
    #[error("no other version of `{0}` was active before")]
    NothingBefore(String),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] store::Error),
}

/// What is wrong with a version that is stored.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Unsound {
    /// It is not there, or is no text.
    #[error("its content cannot be read")]
    Unreadable,
    /// It is not what was imported.
    #[error("its content is not the one that was imported")]
    Changed,
    /// It is another company or version than its row says.
    #[error("its content is another company or version")]
    Foreign,
    /// It holds what no company can have, perhaps because it was imported by another version of the
    /// server.
    #[error("{}", .0.to_string().replace('\n', "; "))]
    Mistaken(Errors),
}

/// A version that was made active.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// The version.
    pub version: i64,
    /// Whether it became active just now.
    pub is_new: bool,
}

/// Keeps versions, all or none of them. Says of each whether it is new, or was there with the same
/// content.
///
/// # Errors
/// [`Error::Other`] or [`Error::Store`].
pub async fn import(store: &Store, tenants: &[Tenant], actor: &str) -> Result<Vec<Kept>, Error> {
    let hashes: Vec<String> = tenants.iter().map(Tenant::sha256).collect();
    let all: Vec<_> = tenants.iter().zip(&hashes).map(|(t, sha256)| new(t, sha256)).collect();
    let kept = store.keep_versions(&all, actor, now_us()).await?;
    let other = tenants.iter().zip(&kept).find(|(_, kept)| **kept == Kept::Other);
    match other {
        Some((tenant, _)) => {
            let company = tenant.company();
            Err(Error::Other { company: company.id.clone(), version: company.version })
        }
        None => Ok(kept),
    }
}

/// Makes a version active, or the highest one.
///
/// # Errors
/// [`Error`], and nothing is changed.
pub async fn activate(
    store: &Store,
    company: &str,
    version: Option<i64>,
    command: Command,
    actor: &str,
) -> Result<Standing, Error> {
    let there = store.versions(Some(company)).await?;
    let Some(last) = there.last() else { return Err(Error::NoCompany(company.to_owned())) };
    let version = version.unwrap_or(last.version);
    let Some(row) = there.iter().find(|row| row.version == version) else {
        let there: Vec<_> = there.iter().map(|row| format!("v{}", row.version)).collect();
        let (company, there) = (company.to_owned(), there.join(", "));
        return Err(Error::NoVersion { company, version, there });
    };
    let tenant = read(store, company, version, &row.sha256).await??;
    let outcome = store
        .activate(&Activate {
            company,
            version: tenant.company().version,
            numbers: &tenant.company().numbers,
            command: command.word(),
            actor,
            at_us: now_us(),
        })
        .await?;
    match outcome {
        Activated::Now => Ok(Standing { version, is_new: true }),
        Activated::Before => Ok(Standing { version, is_new: false }),
        Activated::Unknown => Err(Error::NoCompany(company.to_owned())),
        Activated::Claimed { number, by } => Err(Error::Claimed { number, by }),
    }
}

/// Takes a company off the line: callers of its numbers hear what callers of nobody's numbers hear, and
/// calls that go on do so to their end. Which version was active, and whether one was.
///
/// # Errors
/// [`Error::NoCompany`] or [`Error::Store`].
pub async fn deactivate(store: &Store, company: &str, actor: &str) -> Result<Option<i64>, Error> {
    if store.versions(Some(company)).await?.is_empty() {
        return Err(Error::NoCompany(company.to_owned()));
    }
    Ok(store.deactivate(company, actor, now_us()).await?)
}

/// Makes the version active that was active before the present one. Said twice, it leads back. Of a
/// company that was taken off the line, it is the version that was active until then.
///
/// # Errors
/// [`Error`], and nothing is changed.
pub async fn rollback(store: &Store, company: &str, actor: &str) -> Result<Standing, Error> {
    if store.versions(Some(company)).await?.is_empty() {
        return Err(Error::NoCompany(company.to_owned()));
    }
    let activations = store.activations(company).await?;
    let present = activations.first().filter(|last| !last.is_end()).map(|last| last.version);
    let before = activations.iter().map(|past| past.version).find(|past| Some(*past) != present);
    let Some(before) = before else { return Err(Error::NothingBefore(company.to_owned())) };
    activate(store, company, Some(before), Command::Rollback, actor).await
}

/// Imports the companies that a server starts with. Those that were not imported before become active,
/// and so do those of whom nothing ever was; what somebody has activated or deactivated stays.
///
/// # Errors
/// [`Error`].
pub async fn start_with(store: &Store, tenants: &[Tenant]) -> Result<(), Error> {
    let kept = import(store, tenants, COMPANY_FILE).await?;
    let active = store.active_versions().await?;
    for (tenant, kept) in tenants.iter().zip(kept) {
        let company = tenant.company();
        let is_active = active.iter().any(|active| active.company == company.id);
        let last = store.activations(&company.id).await?.into_iter().next();
        if last.is_some_and(|last| last.is_end()) {
            let company = &company.id;
            warn!(company, "COMPANY_FILE: a company was deactivated, and stays so");
            continue;
        }
        if kept == Kept::New || !is_active {
            let version = Some(company.version.into());
            activate(store, &company.id, version, Command::Start, COMPANY_FILE).await?;
        }
    }
    Ok(())
}

/// Reads a version that is stored and checks it whole.
///
/// # Errors
/// Outside where the store does not answer, inside where the version is not one that can be served.
pub async fn read(
    store: &Store,
    company: &str,
    version: i64,
    sha256: &str,
) -> Result<Result<Tenant, Error>, store::Error> {
    let unsound = |source| Error::Unsound { company: company.to_owned(), version, source };
    let content = match store.content(company, version).await {
        Ok(Some(content)) => content,
        Ok(None) | Err(store::Error::Garbled { .. }) => {
            return Ok(Err(unsound(Unsound::Unreadable)));
        }
        Err(error) => return Err(error),
    };
    let name = format!("{company} v{version}");
    Ok(match Tenant::parse(name, &content) {
        Ok(tenant) if tenant.sha256() != sha256 => Err(unsound(Unsound::Changed)),
        Ok(tenant)
            if (&*tenant.company().id, i64::from(tenant.company().version))
                != (company, version) =>
        {
            Err(unsound(Unsound::Foreign))
        }
        Ok(tenant) => Ok(tenant),
        Err(errors) => Err(unsound(Unsound::Mistaken(errors))),
    })
}

fn new<'a>(tenant: &'a Tenant, sha256: &'a str) -> NewVersion<'a> {
    let company = tenant.company();
    let functions = company.functions.iter().filter_map(|name| Function::from_name(name));
    let limits = &company.limits;
    let own = |function: Function| {
        company.function_limits.get(function.name()).copied().unwrap_or_default()
    };
    NewVersion {
        company: &company.id,
        version: company.version,
        content: tenant.text(),
        sha256,
        functions: functions
            .map(|function| FunctionDefinition {
                name: function.name().to_owned(),
                level: if function.is_write() { "write" } else { "read" },
                arguments: definition(function).parameters.to_string(),
                calls_max: own(function).calls_max,
                budget_ms: own(function)
                    .budget
                    .unwrap_or(match function {
                        Function::LookupLoan => limits.lookup,
                        Function::MakePayment => limits.pay,
                        Function::TransferCall => limits.transfer,
                        Function::PlayDtmf => limits.tones,
                        Function::HangupCall => limits.hang_up,
                    })
                    .0,
            })
            .collect(),
    }
}

impl Command {
    const fn word(self) -> &'static str {
        match self {
            Self::Activate => "activate",
            Self::Rollback => "rollback",
            Self::Start => "start",
        }
    }
}

/// Who imports what the variable names.
const COMPANY_FILE: &str = "COMPANY_FILE";
