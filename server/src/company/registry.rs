//! The companies that this server answers for: the active version of each, found by the number that
//! was dialled.
//!
//! What is read here is shared and never changed. A call keeps the version that it was admitted with;
//! another version that becomes active is for the calls after it (I-36). While the database does not
//! answer, or a version cannot be read, what was read last is served on.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tokio::sync::watch;
use tracing::{error, info, warn};

use super::{Tenant, versions};
use crate::app::App;
use crate::audit::Kind;
use crate::store::{self, Active, Store};

/// All companies that are served. Looked up by each call, and read anew when another version becomes
/// active.
#[derive(Debug)]
pub struct Registry(watch::Sender<Arc<Served>>);

/// The companies at one moment.
#[derive(Debug, Default)]
struct Served {
    /// By short name.
    companies: BTreeMap<String, Entry>,
    /// Whose a number is.
    numbers: BTreeMap<String, Arc<Tenant>>,
    /// What is wrong with companies.
    faults: BTreeSet<(String, Fault)>,
}

#[derive(Debug, Clone)]
struct Entry {
    tenant: Arc<Tenant>,
    sha256: String,
}

/// What can be wrong with a company although it is active.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// Its active version cannot be served: an earlier one is, or none.
    Unreadable,
    /// One of its numbers is another company's, who keeps it.
    Number,
}

impl Fault {
    /// Its name where it is counted.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Unreadable => "unreadable",
            Self::Number => "number",
        }
    }
}

/// A company as it is served. For those who want to see which there are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// The company, in the version that new calls are held under.
    pub tenant: Arc<Tenant>,
    /// What is wrong with it.
    pub faults: Vec<Fault>,
}

/// What changed since the companies were read before.
#[derive(Debug, Default)]
pub struct Changed {
    /// Versions that are served now.
    pub new: Vec<Arc<Tenant>>,
    /// Companies that are served no more, in the versions that were.
    pub gone: Vec<Arc<Tenant>>,
}

impl Registry {
    /// Reads the companies that are active.
    ///
    /// # Errors
    /// Where the store does not answer.
    pub async fn load(store: &Store) -> Result<Self, store::Error> {
        let registry = Self(watch::Sender::new(Arc::default()));
        registry.reload(store).await?;
        Ok(registry)
    }

    /// Whose number was dialled.
    pub fn by_number(&self, number: &str) -> Option<Arc<Tenant>> {
        self.0.borrow().numbers.get(number).cloned()
    }

    /// The company of this short name.
    pub fn company(&self, id: &str) -> Option<Arc<Tenant>> {
        self.0.borrow().companies.get(id).map(|entry| Arc::clone(&entry.tenant))
    }

    /// All companies that are served, by their short names.
    pub fn companies(&self) -> Vec<Listed> {
        let served = Arc::clone(&self.0.borrow());
        let faults = |id: &str| {
            let of_company = served.faults.iter().filter(|(company, _)| company == id);
            of_company.map(|(_, fault)| *fault).collect()
        };
        let listed = |(id, entry): (&String, &Entry)| Listed {
            tenant: Arc::clone(&entry.tenant),
            faults: faults(id),
        };
        served.companies.iter().map(listed).collect()
    }

    /// What is wrong with companies, also with those that are not served at all.
    pub fn faults(&self) -> Vec<(String, Fault)> {
        self.0.borrow().faults.iter().cloned().collect()
    }

    /// Reads the companies anew. What did not change stays the same; what cannot be read stays as it
    /// was. Says what changed.
    ///
    /// # Errors
    /// Where the store does not answer: then nothing changes.
    pub async fn reload(&self, store: &Store) -> Result<Changed, store::Error> {
        let before = Arc::clone(&self.0.borrow());
        let mut served = Served::default();
        let mut changed = Changed::default();
        for active in store.active_versions().await? {
            let company = active.company.clone();
            let old = before.companies.get(&company);
            let entry = match old.filter(|old| old.is(&active)) {
                Some(same) => Some(same.clone()),
                None => {
                    match versions::read(store, &company, active.version, &active.sha256).await? {
                        Ok(tenant) => {
                            let entry = Entry { tenant: Arc::new(tenant), sha256: active.sha256 };
                            changed.new.push(Arc::clone(&entry.tenant));
                            Some(entry)
                        }
                        Err(fault) => {
                            let fault_before = (company.clone(), Fault::Unreadable);
                            if !before.faults.contains(&fault_before) {
                                error!(%fault, "a company's active version cannot be served");
                            }
                            served.faults.insert(fault_before);
                            match old {
                                Some(old) => Some(old.clone()),
                                None => last_good(store, &company).await?,
                            }
                        }
                    }
                }
            };
            if let Some(entry) = entry {
                served.companies.insert(company, entry);
            }
        }
        served.share_out_numbers(&before);
        let gone = before.companies.iter().filter(|(id, _)| !served.companies.contains_key(*id));
        changed.gone.extend(gone.map(|(_, entry)| Arc::clone(&entry.tenant)));
        if !changed.new.is_empty() || !changed.gone.is_empty() {
            let all = served.companies.values().map(|entry| name(&entry.tenant));
            info!(companies = all.collect::<Vec<_>>().join(", "), "companies that are served");
        }
        self.0.send_replace(Arc::new(served));
        Ok(changed)
    }
}

impl Entry {
    fn is(&self, active: &Active) -> bool {
        i64::from(self.tenant.company().version) == active.version && self.sha256 == active.sha256
    }
}

impl Served {
    /// A number that several claim is the one's whose short name comes first in the alphabet, on every
    /// server alike. The tables do not allow it; whoever got around them is told.
    fn share_out_numbers(&mut self, before: &Self) {
        for (id, entry) in &self.companies {
            for number in &entry.tenant.company().numbers {
                let Some(owner) = self.numbers.get(number) else {
                    self.numbers.insert(number.clone(), Arc::clone(&entry.tenant));
                    continue;
                };
                let fault = (id.clone(), Fault::Number);
                if !before.faults.contains(&fault) {
                    let owner = &owner.company().id;
                    error!(company = id, number, owner, "two companies claim one number");
                }
                self.faults.insert(fault);
            }
        }
    }
}

/// The version that was active last and can be served.
async fn last_good(store: &Store, company: &str) -> Result<Option<Entry>, store::Error> {
    let rows = store.versions(Some(company)).await?;
    let mut tried = BTreeSet::new();
    for past in store.activations(company).await? {
        let Some(row) = rows.iter().find(|row| row.version == past.version) else { continue };
        if !tried.insert(row.version) {
            continue;
        }
        if let Ok(tenant) = versions::read(store, company, row.version, &row.sha256).await? {
            warn!(company, version = row.version, "an earlier version of a company is served");
            let sha256 = row.sha256.clone();
            return Ok(Some(Entry { tenant: Arc::new(tenant), sha256 }));
        }
    }
    Ok(None)
}

/// Follows what becomes active, as long as the server lives.
pub(crate) async fn follow(app: &App) {
    let mut changes = app.store().company_changes();
    let mut is_well = true;
    loop {
        changes.next().await;
        match app.companies().reload(app.store()).await {
            Ok(Changed { new, gone }) => {
                is_well = true;
                app.metrics().companies(app.companies());
                for tenant in gone {
                    app.audit().configuration(Kind::ConfigurationDeactivated, tenant.company());
                }
                for tenant in new {
                    app.audit().configuration(Kind::ConfigurationActivated, tenant.company());
                    let app = app.clone();
                    tokio::spawn(async move { app.prepare_lines_of(&tenant).await });
                }
            }
            Err(error) => {
                if is_well {
                    error!(%error, "the companies cannot be read; those that were read last are served");
                }
                is_well = false;
            }
        }
    }
}

fn name(tenant: &Tenant) -> String {
    let company = tenant.company();
    format!("{} v{}", company.id, company.version)
}
