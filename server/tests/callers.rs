//! Callers' numbers: sealed in the database, found again with the keys, sealed anew with others.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails, in its helpers too")]

mod places;
mod postgres;

use std::process::{Command, Output};

use call_core::brief::Brief;
use places::{Place, call_of, places};
use secrecy::ExposeSecret as _;
use server::sealed::DataKeys;
use server::store::{Caller, Error, Filter, Store, callers};

const OLD: &str = "old:00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
const NEW: &str = "new:ffeeddccbbaa99887766554433221100ffeeddccbbaa99887766554433221100";
const MARIA: &str = "+15550100101";
const PETER: &str = "+15550100102";

/// I-26: nowhere in the table is the number in clear, and the key brings it back.
#[tokio::test]
async fn a_number_is_kept_sealed_and_opens_with_its_key_i_26() {
    for place in places().await {
        let store = with_calls(&place, OLD).await;
        let rows = place
            .lines("SELECT call_sid || company || key_id || sealed || number_index FROM caller")
            .await;
        assert_eq!(rows.len(), 6);
        assert!(rows.iter().all(|row| !row.contains("5550100")), "{rows:?}");
        let keys = keys(OLD);
        let (company, sealed) = store.caller(&sid(1)).await.unwrap().unwrap();
        let open = |call: &str| keys.open(&callers::place(&company, call), &sealed);
        assert_eq!(open(&sid(1)).unwrap().expose_secret(), PETER);
        assert!(open(&sid(2)).is_err(), "it opened in another call's row");
        assert_eq!(store.caller("CA0").await.unwrap(), None);
    }
}

#[tokio::test]
async fn calls_of_a_caller_are_found_by_number() {
    for place in places().await {
        let store = with_calls(&place, OLD).await;
        let keys = keys(OLD);
        let found = async |company: &str, number| {
            let from = keys.indexes(company, number);
            let page = store.calls(&Filter { from, count: 100, ..Filter::default() }).await;
            let calls = page.unwrap().calls.into_iter().map(|call| call.sid);
            calls.collect::<Vec<_>>()
        };
        assert_eq!(found("acme", MARIA).await, [sid(2), sid(0)]);
        assert_eq!(found("acme", PETER).await, [sid(1)]);
        assert_eq!(found("other", MARIA).await, [sid(4)]);
        assert_eq!(found("acme", "+15550100109").await, [""; 0]);
    }
}

#[tokio::test]
async fn the_first_number_of_a_call_stays_and_needs_a_record() {
    for place in places().await {
        let store = with_calls(&place, OLD).await;
        let before = store.caller(&sid(0)).await.unwrap();
        let other = Caller::new(&keys(NEW), "acme", &sid(0), PETER);
        store.keep_caller("acme", &sid(0), &other).await.unwrap();
        assert_eq!(store.caller(&sid(0)).await.unwrap(), before);
        let nobodys = store.keep_caller("acme", &sid(77), &other).await;
        assert!(matches!(nobodys, Err(Error::Query(_))));
        // Of a call that is another company's (I-10).
        assert!(store.keep_caller("other", &sid(0), &other).await.is_ok());
        assert_eq!(store.caller(&sid(0)).await.unwrap(), before);
        let moved = "UPDATE caller SET call_sid = 'CA77'";
        assert!(place.try_to(moved).await.is_err());
    }
}

/// Between two batches whoever rotates may be stopped: nothing is lost, and the next run goes on.
#[tokio::test]
async fn keys_are_replaced_in_batches_that_may_be_stopped() {
    for place in places().await {
        let store = with_calls(&place, OLD).await;
        let both = keys(&format!("{NEW},{OLD}"));
        let first = store.reseal(&both, "", 2, "judy").await.unwrap();
        assert_eq!((first.done, first.spoilt, first.next), (2, 0, Some(sid(1))));
        let count = async || {
            let rows = store.sealed_with().await.unwrap();
            rows.into_iter().map(|row| (row.key_id, row.how_many)).collect::<Vec<_>>()
        };
        assert_eq!(count().await, [("new".to_owned(), 2), ("old".to_owned(), 4)]);
        // Whichever key sealed a row, its caller is found.
        let from = both.indexes("acme", MARIA);
        let page = store.calls(&Filter { from, count: 9, ..Filter::default() }).await.unwrap();
        assert_eq!(page.calls.len(), 2);

        // From the beginning, as after a crash.
        let done = store.reseal(&both, "", 100, "judy").await.unwrap();
        assert_eq!((done.done, done.spoilt, done.next), (4, 0, None));
        assert_eq!(count().await, [("new".to_owned(), 6)]);
        let (company, sealed) = store.caller(&sid(1)).await.unwrap().unwrap();
        let opened = keys(NEW).open(&callers::place(&company, &sid(1)), &sealed).unwrap();
        assert_eq!(opened.expose_secret(), PETER);
        let from = vec![keys(NEW).index("acme", PETER)];
        let page = store.calls(&Filter { from, count: 9, ..Filter::default() }).await.unwrap();
        assert_eq!(page.calls.len(), 1);
    }
}

#[tokio::test]
async fn a_row_that_does_not_open_is_left_and_told() {
    for place in places().await {
        let store = with_calls(&place, OLD).await;
        let moved = "UPDATE caller SET sealed = (SELECT sealed FROM caller \
            WHERE call_sid = 'CA00000000000000000000000000000005') \
            WHERE call_sid = 'CA00000000000000000000000000000000'";
        place.try_to(moved).await.unwrap();
        let both = keys(&format!("{NEW},{OLD}"));
        let done = store.reseal(&both, "", 100, "judy").await.unwrap();
        assert_eq!((done.done, done.spoilt), (5, 1));
        let without =
            store.reseal(&keys(&NEW.replace("new", "third")), "", 3, "judy").await.unwrap();
        assert_eq!((without.done, without.spoilt), (0, 3));
    }
}

/// The commands, as operators run them, in each kind of database.
#[tokio::test]
async fn the_commands_find_open_and_replace() {
    for place in places().await {
        with_calls(&place, OLD).await.close().await;
        let url = place.url().to_owned();
        let run = |arguments: &[&str], keys: &str| -> (bool, String) {
            let mut command = Command::new(env!("CARGO_BIN_EXE_server"));
            command.args(arguments).env_clear().env("DATABASE_URL", &url).env("DATA_KEYS", keys);
            let Output { status, stdout, stderr } = command.output().unwrap();
            let told = String::from_utf8(stdout).unwrap() + &String::from_utf8(stderr).unwrap();
            assert!(!told.contains("00112233") && !told.contains("ffeeddcc"), "{told}");
            (status.success(), told)
        };
        let both = format!("{NEW},{OLD}");
        let (done, told) = run(&["calls", "list", "--from", "+1 (555) 010-0101"], OLD);
        let calls = told.matches("CA00").count();
        assert!(done && calls == 3 && !told.contains("5550100101"), "{told}");
        let (done, told) = run(&["calls", "list", "--company", "other", "--from", MARIA], OLD);
        assert!(done && told.matches("CA00").count() == 1, "{told}");
        let (done, told) = run(&["calls", "list", "--from", MARIA], "");
        assert!(!done && told.contains("DATA_KEYS is not set"), "{told}");
        let (done, told) = run(&["calls", "list", "--from", "5550100101"], OLD);
        assert!(!done && told.contains("E.164") && !told.contains("5550100101"), "{told}");

        assert_eq!(run(&["keys", "open", &sid(1)], OLD), (true, format!("{PETER}\n")));
        assert_eq!(run(&["keys", "list"], &both).1, "old               6 numbers  opens\n");
        let (done, told) = run(&["keys", "rotate"], NEW);
        assert!(!done && told.contains("old               6 numbers are left"), "{told}");
        let (done, told) = run(&["keys", "rotate", "--batch", "2"], &both);
        assert!(done && told.starts_with("6 numbers were sealed anew with new.\n"), "{told}");
        assert!(told.ends_with("No other key is needed any more.\n"), "{told}");
        assert_eq!(run(&["keys", "open", &sid(1)], NEW), (true, format!("{PETER}\n")));
        let (done, told) = run(&["keys", "open", &sid(1)], OLD);
        assert!(!done && told.contains("the key `new`"), "{told}");
        let (done, told) = run(&["keys", "list"], "");
        assert!(done && told == "new               6 numbers\n", "{told}");
        let (done, told) = run(&["keys", "list"], "no keys");
        assert!(!done && told.contains("DATA_KEYS: must be keys as name:"), "{told}");
    }
}

/// Six calls: of Maria at both companies, and of Peter at one.
async fn with_calls(place: &Place, with: &str) -> Store {
    let store = Store::open(place.url()).await.unwrap();
    let keys = keys(with);
    let calls = [("acme", MARIA), ("acme", PETER), ("acme", MARIA)];
    let others = [("other", PETER), ("other", MARIA), ("other", PETER)];
    for (number, (company, from)) in calls.into_iter().chain(others).enumerate() {
        let utc_start_ms = 1_772_463_600_000 + number as u64;
        let company = company.to_owned();
        let brief = Brief { call: sid(number), company, utc_start_ms, ..Brief::example() };
        let (brief, steps) = call_of(brief);
        store.end_call(&brief.call, &steps).await.unwrap();
        let caller = Caller::new(&keys, &brief.company, &brief.call, from);
        store.keep_caller(&brief.company, &brief.call, &caller).await.unwrap();
    }
    store
}

fn sid(number: usize) -> String {
    format!("CA{number:032}")
}

fn keys(text: &str) -> DataKeys {
    DataKeys::parse(&text.into()).unwrap()
}
