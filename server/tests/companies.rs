//! Many companies on one server: versions in the database, and what becomes active while servers run.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails, in its helpers too")]

mod postgres;
mod support;

use std::time::{Duration, Instant};

use call_core::step::Cause;
use call_transports::twilio::media::FromTwilio;
use call_transports::twilio::twiml::{Reason, Verb};
use server::app::App;
use server::company::registry::Fault;
use server::company::versions::{self, Command, Error, Standing};
use server::company::{Tenant, prompt_hash};
use server::store::{Kept, Store};
use sqlx::{Connection as _, Executor as _, PgConnection, SqliteConnection};
use support::world::{Leg, World};
use support::{
    CONNECTED, INBOUND, STREAM, Server, Socket, close_code, pause, say, start, stop, token_of,
    voice_inbound, with,
};
use tempfile::TempDir;

const ACME: &str = include_str!("../../scenarios/companies/acme.toml");
const ACMES: &str = "+15550100099";
const OTHERS: &str = "+15550100055";
const CALL_1: &str = "CA00000000000000000000000000000041";
const CALL_2: &str = "CA00000000000000000000000000000042";

/// A stream is its company's, whatever its address says: the token was given for a number's company.
#[tokio::test]
async fn one_server_answers_for_every_company_that_is_active_s38() {
    for place in places().await {
        let store = Store::open(&place.url).await.unwrap();
        for company in [acme(1), other(1)] {
            make_active(&store, &company).await;
        }
        let server = server(&place).await;
        for (number, id, sid) in [(ACMES, "acme", CALL_1), (OTHERS, "other", CALL_2)] {
            let form = with(&voice_inbound(), "To", number);
            let stream = server.inbound(&with(&form, "CallSid", sid)).await;
            let url = format!("wss://voice.example.test/twilio/{id}/en");
            assert_eq!(stream.url(), url);
            let foreign = if id == "acme" { "other" } else { "acme" };
            let mut wrong = begin(&server, foreign, sid, &token_of(&stream)).await;
            assert_eq!(close_code(&mut wrong).await, Some(1008), "{id} on the path of {foreign}");
            let mut socket = begin(&server, id, sid, &token_of(&stream)).await;
            say(&mut socket, &stopped(sid)).await;
            server.end_reason(sid).await;
            let record = server.app.store().call(sid).await.unwrap().unwrap();
            assert_eq!((&*record.company, record.config_version), (id, 1));
        }
        let nobodys = with(&voice_inbound(), "To", "+15550100001");
        let declined = [Verb::Reject { reason: Reason::Rejected }];
        assert_eq!(server.verbs(INBOUND, &nobodys).await, declined);
    }
}

/// S38, I-36: two servers on one database; the version changes in the middle of a call. New calls get
/// the new one on both servers at once, the call keeps its own to its end, and each record says so.
#[tokio::test]
async fn a_version_that_becomes_active_is_for_the_calls_after_it_s38_i_36() {
    for place in places().await {
        let store = Store::open(&place.url).await.unwrap();
        make_active(&store, &acme(1)).await;
        let (one, two) = (server(&place).await, server(&place).await);
        let mut early = call(&one, CALL_1).await;
        // A call whose stream has not begun keeps what its webhook was answered from, too.
        let waiting = "CA00000000000000000000000000000043";
        let token = token_of(&two.inbound(&with(&voice_inbound(), "CallSid", waiting)).await);

        make_active(&store, &acme(2)).await;
        let since = Instant::now();
        for server in [&one, &two] {
            serves(server, 2).await;
        }
        assert!(since.elapsed() < Duration::from_secs(5), "{:?}", since.elapsed());

        let mut late = call(&two, CALL_2).await;
        let mut admitted = begin(&two, "acme", waiting, &token).await;
        for (socket, sid) in [(&mut early, CALL_1), (&mut late, CALL_2), (&mut admitted, waiting)] {
            say(socket, &stopped(sid)).await;
        }
        for (server, sid, version) in [(&one, CALL_1, 1), (&two, CALL_2, 2), (&two, waiting, 1)] {
            server.end_reason(sid).await;
            let record = store.call(sid).await.unwrap().unwrap();
            assert_eq!(record.config_version, version, "{sid}");
            let prompt = &acme(version).agent(record.language).prompt.clone();
            assert_eq!(record.prompt_hash, prompt_hash(prompt));
            let journal = store.journal(sid).await.unwrap();
            let Cause::Started(brief) = &journal[0].cause else { panic!("it begins so") };
            assert_eq!(brief.company_name, format!("Acme {version}"));
            assert_eq!(brief.config_version, version);
        }
    }
}

/// I-36: Twilio asks once more where no answer reached it (F-WH-03), and another version is active by then.
#[tokio::test]
async fn a_call_that_asks_again_gets_the_stream_of_its_own_version_i_36() {
    for place in places().await {
        let store = Store::open(&place.url).await.unwrap();
        make_active(&store, &acme(1)).await;
        let server = server(&place).await;
        let form = with(&voice_inbound(), "CallSid", CALL_1);
        let first = server.inbound(&form).await;
        let spanish = acme(2).text().replacen("language = \"en\"", "language = \"es\"", 1);
        make_active(&store, &Tenant::parse("acme.toml", &spanish).unwrap()).await;
        serves(&server, 2).await;
        let again = server.inbound(&form).await;
        assert_eq!((again.url(), token_of(&again)), (first.url(), token_of(&first)));
        let mut socket = begin(&server, "acme", CALL_1, &token_of(&again)).await;
        say(&mut socket, &stopped(CALL_1)).await;
        server.end_reason(CALL_1).await;
    }
}

/// S38, I-36: what the new version says of persons, functions and limits is not for a call that began
/// under the old one.
#[tokio::test]
async fn a_call_hands_over_to_the_person_of_its_own_version_s38_i_36() {
    let mut world = World::begin().await;
    let server = world.server("").await;
    let token = token_of(&server.inbound(&voice_inbound()).await);
    let mut leg = Leg::open(&server, STREAM, &token).await;
    let mut company = server.app.companies().company("summit").unwrap().company().clone();
    company.version += 1;
    company.transfer = [("nights".to_owned(), "+15550100044".to_owned())].into();
    company.functions.remove("transfer_call");
    make_active(server.app.store(), &Tenant::new(company).unwrap()).await;
    until(|| server.app.companies().company("summit").unwrap().company().version == 4).await;
    leg.hears_a_line().await;
    world.ask("1", "transfer_call", r#"{"target":"servicing"}"#);
    let verbs = leg.playing(world.document()).await;
    let [Verb::Dial(dial)] = &verbs[..] else { panic!("nobody is called: {verbs:?}") };
    assert_eq!(dial.number().reveal(), "+15550100055");
    leg.stop().await;
}

/// S38: whoever has a number keeps it, and what claims it is not activated, not even in part.
#[tokio::test]
async fn a_number_of_another_company_is_refused_and_nothing_changes_s38() {
    for place in places().await {
        let store = Store::open(&place.url).await.unwrap();
        make_active(&store, &acme(1)).await;
        make_active(&store, &other(1)).await;
        let greedy = tenant("other", 2, &[OTHERS, "+15550100056", ACMES]);
        versions::import(&store, &[greedy], "a test").await.unwrap();
        let refused = activate(&store, "other", None).await.unwrap_err();
        let Error::Claimed { number, by } = &refused else { panic!("{refused}") };
        assert_eq!((&**number, &**by), (ACMES, "acme"));
        assert_eq!(active(&store).await, [("acme", 1), ("other", 1)].map(owned));
        assert_eq!(store.activations("other").await.unwrap().len(), 1);
        // The number that was free is free still.
        make_active(&store, &tenant("third", 1, &["+15550100056"])).await;
        // A number that is given up can be taken.
        make_active(&store, &tenant("acme", 2, &["+15550100057"])).await;
        assert_eq!(activate(&store, "other", Some(2)).await.unwrap_err().to_string(), {
            "+15550100056 is a number of the active version of `third`: two companies cannot answer \
             one number"
        });
    }
}

/// S38: two companies that claim one number at the same moment, from two servers.
#[tokio::test]
async fn of_two_companies_that_are_activated_at_once_with_one_number_one_is_s38() {
    for place in places().await {
        for round in 0..10 {
            let number = format!("+155501002{round:02}");
            let names = [format!("a{round}"), format!("b{round}")];
            let stores =
                [Store::open(&place.url).await.unwrap(), Store::open(&place.url).await.unwrap()];
            for (store, name) in stores.iter().zip(&names) {
                let company = tenant(name, 1, &[&number]);
                versions::import(store, &[company], "a test").await.unwrap();
            }
            let (one, two) = tokio::join!(
                activate(&stores[0], &names[0], None),
                activate(&stores[1], &names[1], None)
            );
            assert!(one.is_ok() != two.is_ok(), "{one:?} {two:?}");
            let refused = one.err().or(two.err()).unwrap();
            assert!(matches!(refused, Error::Claimed { .. }), "{refused}");
        }
    }
}

/// S38: somebody got around the tables. Every server gives the number to the same company, and says so.
#[tokio::test]
async fn a_number_that_two_companies_have_after_all_is_the_first_ones_s38() {
    for place in places().await {
        let store = Store::open(&place.url).await.unwrap();
        let twin = tenant("aaa", 1, &[ACMES, "+15550100056"]);
        make_active(&store, &acme(1)).await;
        versions::import(&store, &[twin], "a test").await.unwrap();
        let server = server(&place).await;
        place.try_to("UPDATE company SET active_version = 1 WHERE id = 'aaa'").await.unwrap();
        until(|| server.app.companies().company("aaa").is_some()).await;
        let owner = server.app.companies().by_number(ACMES).unwrap();
        assert_eq!(owner.company().id, "aaa");
        assert_eq!(server.app.companies().faults(), [("acme".to_owned(), Fault::Number)]);
        let told = "offhook_company_fault{company=\"acme\",fault=\"number\"} 1";
        assert!(server.metrics().await.contains(told));
        place.try_to("UPDATE company SET active_version = NULL WHERE id = 'aaa'").await.unwrap();
        until(|| server.app.companies().faults().is_empty()).await;
        let owner = server.app.companies().by_number(ACMES).unwrap();
        assert_eq!(owner.company().id, "acme");
        assert!(!server.metrics().await.contains("company_fault{"));
    }
}

/// F-DB-10: a version that cannot be read any more costs its company a version and nobody a call, on a
/// server that runs and on one that starts.
#[tokio::test]
async fn a_garbled_version_leaves_its_company_the_last_good_one_f_db_10() {
    for place in places().await {
        let store = Store::open(&place.url).await.unwrap();
        make_active(&store, &acme(1)).await;
        make_active(&store, &acme(2)).await;
        make_active(&store, &other(1)).await;
        let running = server(&place).await;
        for version in [3, 4, 5] {
            versions::import(&store, &[acme(version)], "a test").await.unwrap();
        }
        place.unlock().await;
        for (version, garbled) in [
            (3, "UPDATE company_version SET content = 'id = 7' WHERE version = 3"),
            // Sound, and not what was imported.
            (
                4,
                "UPDATE company_version SET content = replace(content, 'Acme', 'Acne') \
                 WHERE version = 4",
            ),
            (
                5,
                "UPDATE company_version SET content = (SELECT content FROM company_version v \
                 WHERE v.company = 'other'), sha256 = (SELECT sha256 FROM company_version v \
                 WHERE v.company = 'other') WHERE version = 5",
            ),
        ] {
            place.try_to(garbled).await.unwrap();
            let refused = activate(&store, "acme", Some(version)).await.unwrap_err();
            assert!(matches!(refused, Error::Unsound { .. }), "{refused}");
            let by_hand = match version {
                3 => "UPDATE company SET active_version = 3 WHERE id = 'acme'",
                4 => "UPDATE company SET active_version = 4 WHERE id = 'acme'",
                _ => "UPDATE company SET active_version = 5 WHERE id = 'acme'",
            };
            place.try_to(by_hand).await.unwrap();
            until(|| !running.app.companies().faults().is_empty()).await;
            let starting = server(&place).await;
            for server in [&running, &starting] {
                let faults = server.app.companies().faults();
                assert_eq!(faults, [("acme".to_owned(), Fault::Unreadable)]);
                let told = "offhook_company_fault{company=\"acme\",fault=\"unreadable\"} 1";
                assert!(server.metrics().await.contains(told));
                for (number, name) in [(ACMES, "Acme 2"), (OTHERS, "Acme 1")] {
                    let tenant = server.app.companies().by_number(number).unwrap();
                    assert_eq!(tenant.company().name, name);
                }
            }
            // Whoever activates a sound version is heard.
            activate(&store, "acme", Some(1)).await.unwrap();
            serves(&running, 1).await;
            assert_eq!(running.app.companies().faults(), []);
            activate(&store, "acme", Some(2)).await.unwrap();
            serves(&running, 2).await;
        }
    }
}

/// I-36: what was imported, and what was active when, is on record for good.
#[tokio::test]
async fn the_database_itself_refuses_to_change_versions_and_history_i_36() {
    for place in places().await {
        let store = Store::open(&place.url).await.unwrap();
        make_active(&store, &acme(1)).await;
        for change in [
            "UPDATE company_version SET content = 'x'",
            "UPDATE company_version SET imported_by = 'x'",
            "DELETE FROM company_version",
            "UPDATE company_activation SET version = 1",
            "DELETE FROM company_activation",
            "UPDATE function_definition SET level = 'read'",
            "DELETE FROM function_definition",
            "UPDATE company SET active_version = 9",
            "INSERT INTO company_number VALUES ('+15550100099', 'acme')",
            "DELETE FROM company",
        ] {
            assert!(place.try_to(change).await.is_err(), "{change}");
        }
        assert_eq!(versions::import(&store, &[acme(1)], "me").await.unwrap(), [Kept::Same]);
    }
}

/// Versions are kept all or none, once, and go back and forth.
#[tokio::test]
async fn versions_are_imported_once_and_rolled_back() {
    for place in places().await {
        let store = Store::open(&place.url).await.unwrap();
        let import = async |all: &[Tenant]| versions::import(&store, all, "a test").await;
        assert_eq!(import(&[acme(1), other(1)]).await.unwrap(), [Kept::New, Kept::New]);
        assert_eq!(import(&[acme(1), acme(2)]).await.unwrap(), [Kept::Same, Kept::New]);
        let changed = tenant("acme", 1, &[ACMES, "+15550100001"]);
        let refused = import(&[acme(3), changed]).await.unwrap_err();
        assert!(matches!(&refused, Error::Other { version: 1, .. }), "{refused}");
        let there = store.versions(Some("acme")).await.unwrap();
        assert_eq!(there.iter().map(|row| row.version).collect::<Vec<_>>(), [1, 2]);

        let back = async || versions::rollback(&store, "acme", "a test").await;
        assert!(matches!(back().await, Err(Error::NothingBefore(_))));
        assert!(matches!(activate(&store, "acme", Some(9)).await, Err(Error::NoVersion { .. })));
        assert!(matches!(activate(&store, "nobody", None).await, Err(Error::NoCompany(_))));
        let now = |version| Standing { version, is_new: true };
        assert_eq!(activate(&store, "acme", Some(1)).await.unwrap(), now(1));
        assert!(matches!(back().await, Err(Error::NothingBefore(_))));
        assert_eq!(activate(&store, "acme", None).await.unwrap(), now(2));
        let again = activate(&store, "acme", Some(2)).await.unwrap();
        assert_eq!(again, Standing { version: 2, is_new: false });
        assert_eq!(back().await.unwrap(), now(1));
        assert_eq!(back().await.unwrap(), now(2));
        let history = store.activations("acme").await.unwrap();
        let told: Vec<_> = history.iter().map(|past| (past.version, &*past.command)).collect();
        let expected = [(2, "rollback"), (1, "rollback"), (2, "activate"), (1, "activate")];
        assert_eq!(told, expected);
        assert_eq!(store.activations("other").await.unwrap(), []);
    }
}

/// `COMPANY_FILE` is imported and activated once. What somebody did by command stays over a start, and
/// a file that says something else under the same version is told.
#[tokio::test]
async fn a_server_that_starts_with_a_file_imports_it_once() {
    for place in places().await {
        let with_file = async |tenant: Tenant| {
            let server = Server::start_with(|config| {
                config.database_url = place.url.clone().into();
                config.companies = vec![tenant];
            });
            served(&server.await.app)
        };
        assert_eq!(with_file(acme(1)).await, ["acme v1"]);
        assert_eq!(with_file(acme(2)).await, ["acme v2"]);
        let store = Store::open(&place.url).await.unwrap();
        versions::rollback(&store, "acme", "a test").await.unwrap();
        assert_eq!(with_file(acme(2)).await, ["acme v1"]);
        assert_eq!(with_file(other(1)).await, ["acme v1", "other v1"]);

        let mut config = support::config(
            "127.0.0.1:1".parse().unwrap(),
            "127.0.0.1:1".parse().unwrap(),
            &place.folder.path().join("unused"),
        );
        config.database_url = place.url.clone().into();
        config.companies = vec![tenant("acme", 2, &["+15550100001"])];
        let Err(refused) = App::new(config).await else { panic!("it starts") };
        let told = format!("{:#}", anyhow::Error::new(refused));
        assert!(told.starts_with("COMPANY_FILE: ") && told.contains("raise `version`"), "{told}");
    }
}

/// The connection on which PostgreSQL tells of companies is lost: what becomes active meanwhile and
/// afterwards is seen all the same.
#[tokio::test]
async fn a_server_whose_listening_connection_is_lost_reads_everything_anew() {
    let place = &places().await[1];
    let store = Store::open(&place.url).await.unwrap();
    make_active(&store, &acme(1)).await;
    let server = server(place).await;
    for version in [2, 3] {
        // The server listens once this is seen.
        versions::import(&store, &[acme(version)], "a test").await.unwrap();
        let listening = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
            AND query LIKE 'LISTEN%'";
        while place.lines(listening).await != ["1"] {
            pause().await;
        }
        place
            .try_to(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity \
                 WHERE application_name = 'offhook' AND datname = current_database()",
            )
            .await
            .unwrap();
        activate(&store, "acme", Some(version.into())).await.unwrap();
        serves(&server, version).await;
    }
}

/// I-10: a transaction for one company sees nothing of another's configuration.
#[tokio::test]
async fn no_statement_reaches_another_companys_configuration_i_10() {
    let place = &places().await[1];
    let store = Store::open(&place.url).await.unwrap();
    make_active(&store, &acme(1)).await;
    make_active(&store, &other(1)).await;
    let mut server = PgConnection::connect(&place.url).await.unwrap();
    let tables = [
        ("company", "id"),
        ("company_version", "company"),
        ("function_definition", "company"),
        ("company_activation", "company"),
        ("company_number", "company"),
    ];
    for (scope, companies) in [("acme", 1), ("other", 1), ("third", 0), ("", 0), ("*", 2)] {
        let mut transaction = server.begin().await.unwrap();
        let say = sqlx::query("SELECT set_config('offhook.company', $1, true)").bind(scope);
        say.execute(&mut *transaction).await.unwrap();
        for (table, column) in tables {
            let count = format!("SELECT count(DISTINCT {column}) FROM {table}");
            let seen: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(count))
                .fetch_one(&mut *transaction)
                .await
                .unwrap();
            assert_eq!(seen, companies, "{scope} {table}");
        }
        let change = "UPDATE company SET active_version = NULL";
        let touched = transaction.execute(change).await.unwrap();
        assert_eq!(touched.rows_affected(), u64::try_from(companies).unwrap(), "{scope}");
        transaction.rollback().await.unwrap();
    }
    for (table, _) in &tables[1..4] {
        let change = format!("DELETE FROM {table}");
        let error = server.execute(sqlx::AssertSqlSafe(change)).await.unwrap_err();
        let refusal = error.as_database_error().unwrap().code();
        assert_eq!(refusal.as_deref(), Some("42501"), "{table}: {error}");
    }
}

/// F-DB-09: tables that are older than the server are not used either.
#[tokio::test]
async fn tables_of_an_older_version_are_refused_f_db_09() {
    let place = &places().await[1];
    place.try_to("DELETE FROM _sqlx_migrations WHERE version = 3").await.unwrap();
    let error = Store::open(&place.url).await.unwrap_err();
    assert!(matches!(error, server::store::Error::Versions), "{error}");
}

/// A database of a test's own.
struct Place {
    url: String,
    /// Where somebody comes in who may do anything.
    all: String,
    folder: TempDir,
}

/// A SQLite file and a PostgreSQL, with nothing in them.
async fn places() -> [Place; 2] {
    let folder = || tempfile::tempdir().unwrap();
    let sqlite = folder();
    let url = format!("sqlite://{}", sqlite.path().join("calls.db").display());
    let database = postgres::Database::new().await;
    let (server, owner) = (database.url("offhook"), database.url("offhook_owner"));
    Store::migrate(&server, Some(&owner)).await.unwrap();
    [
        Place { all: url.clone(), url, folder: sqlite },
        Place { url: server, all: database.url("postgres"), folder: folder() },
    ]
}

impl Place {
    /// Behind the server's back.
    async fn try_to(&self, statement: &'static str) -> Result<(), sqlx::Error> {
        if self.all.starts_with("sqlite") {
            SqliteConnection::connect(&self.all).await?.execute(statement).await.map(drop)
        } else {
            PgConnection::connect(&self.all).await?.execute(statement).await.map(drop)
        }
    }

    /// Lets versions be changed.
    async fn unlock(&self) {
        let statement = if self.all.starts_with("sqlite") {
            "DROP TRIGGER company_version_stays"
        } else {
            "ALTER TABLE company_version DISABLE TRIGGER company_version_stays"
        };
        self.try_to(statement).await.unwrap();
    }

    async fn lines(&self, statement: &'static str) -> Vec<String> {
        let mut connection = PgConnection::connect(&self.all).await.unwrap();
        let rows: Vec<i64> =
            sqlx::query_scalar(statement).fetch_all(&mut connection).await.unwrap();
        rows.iter().map(ToString::to_string).collect()
    }
}

/// A server that serves what is active in the database.
async fn server(place: &Place) -> Server {
    Server::start_with(|config| {
        config.database_url = place.url.clone().into();
        config.companies = Vec::new();
    })
    .await
}

/// A company by another name, version and numbers than the shipped one.
fn tenant(id: &str, version: u32, numbers: &[&str]) -> Tenant {
    let numbers: Vec<_> = numbers.iter().map(|number| format!("\"{number}\"")).collect();
    let text = ACME
        .replacen("id = \"acme\"", &format!("id = \"{id}\""), 1)
        .replacen("name = \"Acme Home Loans\"", &format!("name = \"Acme {version}\""), 1)
        .replacen("version = 1", &format!("version = {version}"), 1)
        .replacen("[\"+15550100099\"]", &format!("[{}]", numbers.join(", ")), 1)
        .replacen("Do not greet again.", &format!("You are number {version}."), 1);
    Tenant::parse("company.toml", &text).unwrap()
}

fn acme(version: u32) -> Tenant {
    tenant("acme", version, &[ACMES])
}

fn other(version: u32) -> Tenant {
    tenant("other", version, &[OTHERS])
}

async fn make_active(store: &Store, tenant: &Tenant) {
    versions::import(store, std::slice::from_ref(tenant), "a test").await.unwrap();
    let company = tenant.company();
    activate(store, &company.id, Some(company.version.into())).await.unwrap();
}

async fn activate(store: &Store, id: &str, version: Option<i64>) -> Result<Standing, Error> {
    versions::activate(store, id, version, Command::Activate, "a test").await
}

async fn active(store: &Store) -> Vec<(String, i64)> {
    let rows = store.active_versions().await.unwrap();
    rows.into_iter().map(|row| (row.company, row.version)).collect()
}

fn owned((company, version): (&str, i64)) -> (String, i64) {
    (company.to_owned(), version)
}

fn served(app: &App) -> Vec<String> {
    let all = app.companies().companies();
    let company = all.iter().map(|listed| listed.tenant.company());
    company.map(|company| format!("{} v{}", company.id, company.version)).collect()
}

/// Ready when new calls of acme are held under this version.
async fn serves(server: &Server, version: u32) {
    let number = || server.app.companies().by_number(ACMES);
    until(|| number().is_some_and(|tenant| tenant.company().version == version)).await;
}

async fn until(is_so: impl Fn() -> bool) {
    let since = Instant::now();
    while !is_so() {
        assert!(since.elapsed() < Duration::from_secs(20), "it does not become so");
        pause().await;
    }
}

/// A call to acme that is going on.
async fn call(server: &Server, sid: &str) -> Socket {
    let stream = server.inbound(&with(&voice_inbound(), "CallSid", sid)).await;
    let mut steps = server.app.watch().subscribe();
    let socket = begin(server, "acme", sid, &token_of(&stream)).await;
    steps.recv().await.unwrap();
    socket
}

async fn begin(server: &Server, company: &str, sid: &str, token: &str) -> Socket {
    let mut socket = server.open(&format!("/twilio/{company}/en")).await;
    say(&mut socket, &CONNECTED).await;
    let mut start = start(token);
    start.call_sid = sid.to_owned();
    say(&mut socket, &FromTwilio::Start(start)).await;
    socket
}

fn stopped(sid: &str) -> FromTwilio<'static> {
    let FromTwilio::Stop { account_sid, .. } = stop() else { panic!("it is a stop") };
    FromTwilio::Stop { account_sid, call_sid: Some(sid.to_owned().into()) }
}
