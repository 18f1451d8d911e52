//! How far the audit logs have come, as it was published, and what was removed of them.

use sqlx::FromRow;

use super::database::Scope;
use super::{Error, Store, whole};
use crate::audit::verify::Published;
use crate::audit::{Head, SERVER};
use crate::times::now_us;

impl Store {
    /// Keeps how far an audit log has come. What is there already stays.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub async fn publish_head(&self, head: &Head) -> Result<(), Error> {
        let statement = "INSERT INTO audit_head (log, seq, company, day, hash, published_us) \
            VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (log, seq, hash) DO NOTHING";
        let hash = head.hash.to_string();
        let values = [
            (&head.log).into(),
            whole(head.seq).into(),
            SERVER.into(),
            (&head.day).into(),
            (&hash).into(),
            now_us().into(),
        ];
        let mut transaction = self.database.begin(Scope::Every).await?;
        transaction.run(statement, &values).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// How far all audit logs have come, in the order of their entries.
    ///
    /// # Errors
    /// [`Error::Query`] or [`Error::Garbled`].
    pub async fn heads(&self) -> Result<Vec<Head>, Error> {
        let statement = "SELECT log, day, seq, hash FROM audit_head ORDER BY log, seq";
        let rows: Vec<Row> = self.database.read(Scope::Every, statement, &[]).await?;
        rows.into_iter().map(Row::head).collect()
    }

    /// What was removed of all audit logs: the last entry of each file that went, in the order of their
    /// entries.
    ///
    /// # Errors
    /// [`Error::Query`] or [`Error::Garbled`].
    pub async fn cuts(&self) -> Result<Vec<Head>, Error> {
        let statement = "SELECT log, day, seq, hash FROM audit_cut ORDER BY log, seq";
        let rows: Vec<Row> = self.database.read(Scope::Every, statement, &[]).await?;
        rows.into_iter().map(Row::head).collect()
    }

    /// All that was published of the audit logs.
    ///
    /// # Errors
    /// [`Error::Query`] or [`Error::Garbled`].
    pub async fn published(&self) -> Result<Published, Error> {
        Ok(Published { heads: self.heads().await?, cuts: self.cuts().await? })
    }

    /// Notes that a file of an audit log goes, up to its last entry. Whether it may: no hold was placed
    /// after that of the number `last_hold`.
    ///
    /// # Errors
    /// [`Error::Query`], also where the file is younger than the tables allow.
    pub async fn cut(&self, last: &Head, last_hold: i64) -> Result<bool, Error> {
        let statement = "INSERT INTO audit_cut (log, seq, company, day, hash, cut_us) \
            VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (log, seq, hash) DO NOTHING";
        let hash = last.hash.to_string();
        let values = [
            (&last.log).into(),
            whole(last.seq).into(),
            SERVER.into(),
            (&last.day).into(),
            (&hash).into(),
            now_us().into(),
        ];
        let mut transaction = self.database.begin(Scope::Every).await?;
        transaction.run(statement, &values).await?;
        let placed = "SELECT id FROM legal_hold WHERE id > $1 LIMIT 1";
        let placed: Vec<(i64,)> = transaction.rows(placed, &[last_hold.into()]).await?;
        if placed.is_empty() {
            transaction.commit().await?;
        } else {
            transaction.rollback().await?;
        }
        Ok(placed.is_empty())
    }
}

/// A row as it is in the table.
#[derive(FromRow)]
struct Row {
    log: String,
    day: String,
    seq: i64,
    hash: String,
}

impl Row {
    fn head(self) -> Result<Head, Error> {
        let garbled = || Error::Garbled { what: "audit head", source: None };
        let seq = u64::try_from(self.seq).map_err(|_| garbled())?;
        let hash = self.hash.parse().map_err(|_| garbled())?;
        Ok(Head { log: self.log, day: self.day, seq, hash })
    }
}
