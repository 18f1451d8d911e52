//! Whether the tables are those that this version knows, and how they become so.
//!
//! SQLite belongs to the server: its tables are brought up to date when it is opened. In PostgreSQL
//! the tables belong to another role than the server's, or row-level security would bind nobody;
//! that role brings them up to date, by `server migrate` or when the server starts with its address.

use std::str::FromStr as _;

use sqlx::migrate::Migrator;
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, PgPool, Row as _, SqlitePool};

use super::database::{Database, POSTGRES, SQLITE};
use super::{Error, Role};

/// Brings the tables up to date as their owner. In PostgreSQL, the user in the server's own address
/// may then use them.
pub(super) async fn prepare(owner: &Database, server_url: &str) -> Result<(), Error> {
    owner.migrate().await.map_err(Error::Tables)?;
    let Database::Postgres(pool) = owner else { return Ok(()) };
    let server = PgConnectOptions::from_str(server_url).map_err(|_| Error::Scheme)?;
    let role = server.get_username();
    for grant in GRANTS {
        // The name of a role cannot be a value of this statement, so PostgreSQL itself quotes it.
        let grant = sqlx::query_scalar("SELECT format($1, $2)").bind(grant).bind(role);
        let statement: String = grant.fetch_one(pool).await?;
        sqlx::raw_sql(AssertSqlSafe(statement)).execute(pool).await?;
    }
    Ok(())
}

/// That a SQLite file has the tables of this version, for those who do not bring it up to date.
pub(super) async fn check_file(pool: &SqlitePool) -> Result<(), Error> {
    let versions = sqlx::query_scalar::<_, i64>(VERSIONS).fetch_all(pool).await;
    if versions.ok() == Some(known(&SQLITE)) { Ok(()) } else { Err(Error::Versions) }
}

/// That PostgreSQL has the tables of this version, and that its row-level security binds us.
pub(super) async fn check(pool: &PgPool) -> Result<(), Error> {
    if versions(pool).await? != known(&POSTGRES) {
        return Err(Error::Versions);
    }
    let role = sqlx::query(
        "SELECT rolsuper OR rolbypassrls AS above, \
         (SELECT bool_or(pg_has_role(current_user, relowner, 'MEMBER')) FROM pg_class \
          WHERE relname IN ('call', 'conversation_log', 'recording', 'summary', 'company', \
          'company_version', 'function_definition', 'company_activation', 'company_number', \
          'stream_server', 'caller', 'legal_hold', 'media_deletion', 'deletion', 'sweep', 'audit_head', \
          'outbox', 'summary_text', 'audit_note', 'audit_cut', 'recording_deleted') \
          AND relkind = 'r') AS owner \
         FROM pg_roles WHERE rolname = current_user",
    )
    .fetch_one(pool)
    .await?;
    if role.try_get("above")? {
        return Err(Error::Role(Role::AboveSecurity));
    }
    if role.try_get("owner")? {
        return Err(Error::Role(Role::Owner));
    }
    Ok(())
}

/// The versions of the tables that were made, nothing where there are none.
async fn versions(pool: &PgPool) -> Result<Vec<i64>, sqlx::Error> {
    let made = sqlx::query_scalar("SELECT to_regclass('_sqlx_migrations') IS NOT NULL");
    if !made.fetch_one(pool).await? {
        return Ok(Vec::new());
    }
    sqlx::query_scalar(VERSIONS).fetch_all(pool).await
}

fn known(migrator: &Migrator) -> Vec<i64> {
    migrator.iter().map(|migration| migration.version).collect()
}

const VERSIONS: &str = "SELECT version FROM _sqlx_migrations WHERE success ORDER BY version";

/// What the server's role may do, and no more: a journal is written and never changed, and neither is a
/// version of a company. What it may delete, triggers let go only when its time is over.
const GRANTS: [&str; 22] = [
    "GRANT SELECT, INSERT, UPDATE, DELETE ON call TO %I",
    "GRANT SELECT, INSERT, DELETE ON conversation_log TO %I",
    "GRANT SELECT, INSERT, UPDATE, DELETE ON recording TO %I",
    "GRANT SELECT, INSERT, DELETE ON summary TO %I",
    "GRANT SELECT, INSERT, DELETE ON summary_text TO %I",
    "GRANT SELECT, INSERT, UPDATE ON outbox TO %I",
    "GRANT SELECT, INSERT, UPDATE ON stream_server TO %I",
    "GRANT SELECT, INSERT, UPDATE, DELETE ON caller TO %I",
    "GRANT SELECT, INSERT, UPDATE ON legal_hold TO %I",
    "GRANT SELECT, INSERT, UPDATE, DELETE ON media_deletion TO %I",
    "GRANT SELECT, INSERT ON recording_deleted TO %I",
    "GRANT SELECT, INSERT ON deletion TO %I",
    "GRANT SELECT, INSERT, UPDATE ON sweep TO %I",
    "GRANT SELECT, INSERT, UPDATE ON company TO %I",
    "GRANT SELECT, INSERT ON company_version TO %I",
    "GRANT SELECT, INSERT ON function_definition TO %I",
    "GRANT SELECT, INSERT ON company_activation TO %I",
    "GRANT SELECT, INSERT, DELETE ON company_number TO %I",
    "GRANT SELECT, INSERT ON audit_head TO %I",
    "GRANT SELECT, INSERT, UPDATE, DELETE ON audit_note TO %I",
    "GRANT SELECT, INSERT ON audit_cut TO %I",
    "GRANT SELECT ON _sqlx_migrations TO %I",
];
