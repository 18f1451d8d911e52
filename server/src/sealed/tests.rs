use std::collections::BTreeSet;

use super::*;

const ONE: &str = "2026-a:00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
const TWO: &str = "2026-b:ffeeddccbbaa99887766554433221100ffeeddccbbaa99887766554433221100";
const NUMBER: &str = "+15550100101";

const HERE: Place<'_> = Place { table: "caller", column: "sealed", row: "CA1", company: "acme" };

#[test]
fn what_was_sealed_opens_at_its_place_and_nowhere_else() {
    let keys = keys(ONE);
    let sealed = keys.seal(&HERE, NUMBER);
    assert_eq!(keys.open(&HERE, &sealed).unwrap().expose_secret(), NUMBER);
    let elsewhere = [
        Place { table: "call", ..HERE },
        Place { column: "other", ..HERE },
        Place { row: "CA2", ..HERE },
        Place { company: "other", ..HERE },
        // The same letters, shared out otherwise.
        Place { row: "CA", company: "1acme", ..HERE },
    ];
    for place in elsewhere {
        assert_eq!(keys.open(&place, &sealed).unwrap_err(), Error::Spoilt, "{place:?}");
    }
}

#[test]
fn any_change_of_a_sealed_value_is_noticed() {
    let keys = keys(ONE);
    let sealed = keys.seal(&HERE, NUMBER);
    for at in 0..sealed.text.len() {
        let mut text = sealed.text.clone().into_bytes();
        text[at] = if text[at] == b'0' { b'1' } else { b'0' };
        let text = String::from_utf8(text).unwrap();
        let changed = Sealed { text, ..sealed.clone() };
        assert_eq!(keys.open(&HERE, &changed).unwrap_err(), Error::Spoilt, "{at}");
    }
    for text in ["", "00", &sealed.text[..48], &sealed.text[..sealed.text.len() - 2], "no digits"] {
        let cut = Sealed { text: text.to_owned(), ..sealed.clone() };
        assert_eq!(keys.open(&HERE, &cut).unwrap_err(), Error::Spoilt, "{text}");
    }
}

#[test]
fn the_first_key_seals_and_all_of_them_open() {
    let (old, new) = (keys(ONE), keys(&format!("{TWO}, {ONE}")));
    let sealed = old.seal(&HERE, NUMBER);
    assert_eq!(new.open(&HERE, &sealed).unwrap().expose_secret(), NUMBER);
    assert_eq!(new.seal(&HERE, NUMBER).key_id, "2026-b");
    assert_eq!(new.first_id(), "2026-b");
    let refused = keys(TWO).open(&HERE, &sealed).unwrap_err();
    assert_eq!(refused, Error::NoKey("2026-a".to_owned()));
    // Another key of the same name.
    let other = keys(&TWO.replace("2026-b", "2026-a"));
    assert_eq!(other.open(&HERE, &sealed).unwrap_err(), Error::Spoilt);
}

#[test]
fn the_same_value_looks_different_each_time_and_is_found_again() {
    let keys = keys(&format!("{ONE},{TWO}"));
    let sealed: BTreeSet<_> = (0..100).map(|_| keys.seal(&HERE, NUMBER).text).collect();
    assert_eq!(sealed.len(), 100);
    let index = keys.index("acme", NUMBER);
    assert_eq!(index, keys.index("acme", NUMBER));
    assert_eq!(index.as_str().len(), 32);
    assert_ne!(index, keys.index("other", NUMBER), "companies would share their callers");
    assert_ne!(index, keys.index("acme", "+15550100102"));
    let all = keys.indexes("acme", NUMBER);
    assert_eq!(all.len(), 2);
    assert_eq!(all[0], index);
    assert_eq!(
        all[1],
        self::keys(TWO).index("acme", NUMBER),
        "rows of the other key are found too"
    );
}

#[test]
fn a_list_of_keys_that_is_wrong_is_told_by_place_and_not_by_content() {
    let same = format!("{ONE},{ONE}");
    let zeros = format!("a:{}", "0".repeat(64));
    let faulty = [
        ("", 1, "has no name"),
        ("00112233445566778899aabbccddeeff", 1, "has no name"),
        ("A:00", 1, "has a name other"),
        (":00", 1, "has a name other"),
        ("a:0011", 1, "is not 64"),
        ("a:zz112233445566778899aabbccddeeff00112233445566778899aabbccddeeff", 1, "is not 64"),
        (&zeros, 1, "is no key"),
        (&same, 2, "has the name of one before it"),
    ];
    for (text, place, what) in faulty {
        let fault = DataKeys::parse(&text.into()).unwrap_err();
        assert_eq!(fault.place, place, "{text}");
        assert!(fault.what.starts_with(what), "{fault}");
        assert!(!fault.to_string().contains("0011"), "{fault}");
    }
}

/// I-28: neither keys nor what they seal are printed.
#[test]
fn nothing_here_prints_what_it_holds_i_28() {
    let keys = keys(ONE);
    let sealed = keys.seal(&HERE, NUMBER);
    let index = keys.index("acme", NUMBER);
    let opened = keys.open(&HERE, &sealed).unwrap();
    let printed = format!("{keys:?} {sealed:?} {index:?} {opened:?}");
    for secret in ["0011223344", NUMBER, index.as_str(), &sealed.text] {
        assert!(!printed.contains(secret), "{printed}");
    }
    assert!(printed.contains("2026-a"), "{printed}");
}

fn keys(text: &str) -> DataKeys {
    DataKeys::parse(&text.into()).unwrap()
}
