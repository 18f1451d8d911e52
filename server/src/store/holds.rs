//! Legal holds: calls that must be kept although their time is over.
//!
//! The table itself notes for the audit log that one was placed or released, whoever does it.

use sqlx::FromRow;

use super::database::Scope;
use super::{Error, Store};

/// A hold to be placed.
#[derive(Debug, Clone, Copy)]
pub struct NewHold<'a> {
    /// The company's short name.
    pub company: &'a str,
    /// The call; nothing for all calls of the company.
    pub call: Option<&'a str>,
    /// Which matter it is for. Nothing of a person belongs in it.
    pub reason: &'a str,
    /// By whom.
    pub by: &'a str,
    /// When, in microseconds since 1970-01-01 UTC.
    pub at_us: i64,
}

/// What became of a hold that was to be placed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placed {
    /// It holds from now on, under this number.
    Now(i64),
    /// The same, but the call itself is gone, or never came on record: what is held is its sound at the
    /// carrier.
    OnSound(i64),
    /// The company has no such call.
    NoCall,
    /// Nothing is known of the company.
    NoCompany,
}

/// What became of a hold that was to be released.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Released {
    /// It holds no more.
    Now,
    /// It had been released before.
    Before,
    /// There is no such hold.
    Unknown,
}

/// A hold as it stands.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Hold {
    /// Its number.
    pub id: i64,
    /// The company's short name.
    pub company: String,
    /// The call; nothing for all calls of the company.
    pub call_sid: Option<String>,
    /// Which matter it is for.
    pub reason: String,
    /// When it was placed, in microseconds since 1970-01-01 UTC.
    pub placed_us: i64,
    /// By whom.
    pub placed_by: String,
    /// When it was released; nothing while it holds.
    pub released_us: Option<i64>,
    /// By whom.
    pub released_by: Option<String>,
}

impl Store {
    /// Places a hold. Once this returns, nothing of what it holds is deleted; what a sweep deletes at
    /// the same moment is waited for, and is gone then.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub async fn place_hold(&self, hold: &NewHold<'_>) -> Result<Placed, Error> {
        let statement = "INSERT INTO legal_hold (company, call_sid, reason, placed_us, placed_by) \
            VALUES ($1, $2, $3, $4, $5) RETURNING id";
        let NewHold { company, call, reason, by, at_us } = *hold;
        let values = [company.into(), call.into(), reason.into(), at_us.into(), by.into()];
        let mut transaction = self.database.begin(Scope::Company(company)).await?;
        // Inserted first: from here on nothing is deleted that the look below finds.
        let rows: Vec<(i64,)> = transaction.rows(statement, &values).await?;
        let (there, missing): (Vec<(i64,)>, _) = match call {
            Some(call) => {
                // Of a call that is gone, or never came on record, there may be sound.
                let there = "SELECT kind FROM (SELECT CAST(1 AS BIGINT) AS kind FROM call \
                    WHERE sid = $1 AND company = $2 \
                    UNION ALL SELECT CAST(2 AS BIGINT) FROM media_deletion \
                    WHERE call_sid = $1 AND company = $2 \
                    UNION ALL SELECT CAST(2 AS BIGINT) FROM recording \
                    WHERE call_sid = $1 AND company = $2) AS there ORDER BY kind LIMIT 1";
                let values = [call.into(), company.into()];
                (transaction.rows(there, &values).await?, Placed::NoCall)
            }
            None => {
                let there = "SELECT CAST(1 AS BIGINT) FROM (SELECT id FROM company WHERE id = $1 \
                    UNION ALL SELECT company FROM call WHERE company = $1 \
                    UNION ALL SELECT company FROM media_deletion WHERE company = $1 \
                    UNION ALL SELECT company FROM recording WHERE company = $1) AS there LIMIT 1";
                (transaction.rows(there, &[company.into()]).await?, Placed::NoCompany)
            }
        };
        let (Some((id,)), Some((kind,))) = (rows.first(), there.first()) else {
            transaction.rollback().await?;
            return Ok(missing);
        };
        transaction.commit().await?;
        Ok(if *kind == 1 { Placed::Now(*id) } else { Placed::OnSound(*id) })
    }

    /// Releases a hold.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub async fn release_hold(&self, id: i64, by: &str, at_us: i64) -> Result<Released, Error> {
        let statement = "UPDATE legal_hold SET released_us = $2, released_by = $3 \
            WHERE id = $1 AND released_us IS NULL";
        let there = "SELECT id FROM legal_hold WHERE id = $1";
        let mut transaction = self.database.begin(Scope::Every).await?;
        let values = [id.into(), at_us.into(), by.into()];
        let released = transaction.run(statement, &values).await?;
        let rows: Vec<(i64,)> = transaction.rows(there, &[id.into()]).await?;
        transaction.commit().await?;
        Ok(match (released, rows.is_empty()) {
            (1.., _) => Released::Now,
            (0, false) => Released::Before,
            (0, true) => Released::Unknown,
        })
    }

    /// The holds on calls of a company, or of all, those that were released too, the oldest first.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub async fn holds(&self, company: Option<&str>) -> Result<Vec<Hold>, Error> {
        let statement = "SELECT * FROM legal_hold WHERE $1 IN (company, '*') ORDER BY id";
        let scope = company.map_or(Scope::Every, Scope::Company);
        Ok(self.database.read(scope, statement, &[scope.word().into()]).await?)
    }
}
