//! Callers' numbers, sealed, and which calls are of one caller.

use secrecy::ExposeSecret as _;
use serde_json::json;
use sqlx::FromRow;

use super::database::Scope;
use super::notes::note;
use super::{Error, Store};
use crate::audit::{Entry, SERVER};
use crate::sealed::{BlindIndex, DataKeys, Place, Sealed};

/// The caller's number of a call, as it is kept.
#[derive(Debug, Clone)]
pub struct Caller {
    sealed: Sealed,
    index: BlindIndex,
}

/// How many rows one key has sealed.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct SealedWith {
    /// The name of the key.
    pub key_id: String,
    /// How many rows.
    pub how_many: i64,
}

/// How far sealing anew has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resealed {
    /// How many rows were sealed anew.
    pub done: u64,
    /// How many rows could not be opened, and stay as they are.
    pub spoilt: u64,
    /// Where to go on; nothing at the end.
    pub next: Option<String>,
}

impl Caller {
    /// Seals a number for its call.
    pub fn new(keys: &DataKeys, company: &str, call: &str, number: &str) -> Self {
        let sealed = keys.seal(&place(company, call), number);
        Self { sealed, index: keys.index(company, number) }
    }
}

impl Store {
    /// Keeps the caller's number of a call that has a record. The first one stays.
    ///
    /// # Errors
    /// [`Error::Query`], also where the call has no record.
    pub async fn keep_caller(
        &self,
        company: &str,
        call: &str,
        caller: &Caller,
    ) -> Result<(), Error> {
        let statement = "INSERT INTO caller (call_sid, company, key_id, sealed, number_index) \
            VALUES ($1, $2, $3, $4, $5) ON CONFLICT (call_sid) DO NOTHING";
        let Caller { sealed, index } = caller;
        let values = [
            call.into(),
            company.into(),
            (&sealed.key_id).into(),
            (&sealed.text).into(),
            index.as_str().into(),
        ];
        let mut transaction = self.database.begin(Scope::Company(company)).await?;
        transaction.run(statement, &values).await?;
        Ok(transaction.commit().await?)
    }

    /// The sealed number of a call's caller, and whose call it is; nothing where none was kept.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub async fn caller(&self, call: &str) -> Result<Option<(String, Sealed)>, Error> {
        let statement = "SELECT call_sid, company, key_id, sealed FROM caller WHERE call_sid = $1";
        let rows: Vec<Row> = self.database.read(Scope::Every, statement, &[call.into()]).await?;
        Ok(rows.into_iter().next().map(Row::parts).map(|(_, company, sealed)| (company, sealed)))
    }

    /// The same for somebody who will open it, which is put on record first.
    ///
    /// # Errors
    /// [`Error::Query`]: then nobody is to open it.
    pub async fn caller_to_open(
        &self,
        call: &str,
        by: &str,
    ) -> Result<Option<(String, Sealed)>, Error> {
        let Some((company, sealed)) = self.caller(call).await? else { return Ok(None) };
        let key = json!({ "key": sealed.key_id });
        self.note(&Entry::of_operator(by, "number_open", &company, &key).of_call(call)).await?;
        Ok(Some((company, sealed)))
    }

    /// Seals up to `count` rows anew that other keys than the first have sealed, from the call behind
    /// `after` on. Rows that change meanwhile stay as they are then. `by` is who has it done, for the
    /// record.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub async fn reseal(
        &self,
        keys: &DataKeys,
        after: &str,
        count: u32,
        by: &str,
    ) -> Result<Resealed, Error> {
        let old = "SELECT call_sid, company, key_id, sealed FROM caller \
            WHERE call_sid > $1 AND key_id <> $2 ORDER BY call_sid LIMIT $3";
        let anew = "UPDATE caller SET key_id = $2, sealed = $3, number_index = $4 \
            WHERE call_sid = $1 AND sealed = $5";
        let mut transaction = self.database.begin(Scope::Every).await?;
        let values = [after.into(), keys.first_id().into(), count.into()];
        let rows: Vec<Row> = transaction.rows(old, &values).await?;
        let mut resealed = Resealed { done: 0, spoilt: 0, next: None };
        if rows.len() == count as usize {
            resealed.next = rows.last().map(|row| row.call_sid.clone());
        }
        for (call, company, sealed) in rows.into_iter().map(Row::parts) {
            let Ok(number) = keys.open(&place(&company, &call), &sealed) else {
                resealed.spoilt += 1;
                continue;
            };
            let new = Caller::new(keys, &company, &call, number.expose_secret());
            let values = [
                (&call).into(),
                (&new.sealed.key_id).into(),
                (&new.sealed.text).into(),
                new.index.as_str().into(),
                (&sealed.text).into(),
            ];
            resealed.done += transaction.run(anew, &values).await?;
        }
        if resealed.done + resealed.spoilt > 0 {
            let Resealed { done, spoilt, .. } = resealed;
            let more = json!({ "key": keys.first_id(), "numbers": done, "not_opened": spoilt });
            note(&mut transaction, &Entry::of_operator(by, "keys_rotate", SERVER, &more)).await?;
        }
        transaction.commit().await?;
        Ok(resealed)
    }

    /// How many rows each key has sealed, by the names of the keys.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub async fn sealed_with(&self) -> Result<Vec<SealedWith>, Error> {
        let statement = "SELECT key_id, count(*) AS how_many FROM caller \
            GROUP BY key_id ORDER BY key_id";
        Ok(self.database.read(Scope::Every, statement, &[]).await?)
    }
}

/// Where a call's number stands.
pub fn place<'a>(company: &'a str, call: &'a str) -> Place<'a> {
    Place { table: "caller", column: "sealed", row: call, company }
}

/// A row as it is in the table.
#[derive(FromRow)]
struct Row {
    call_sid: String,
    company: String,
    key_id: String,
    sealed: String,
}

impl Row {
    fn parts(self) -> (String, String, Sealed) {
        (self.call_sid, self.company, Sealed { key_id: self.key_id, text: self.sealed })
    }
}
