//! Scenario files with mistakes: all of them are told, each at its place, and nothing else is.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use proptest::prelude::*;
use sim::Scenario;
use sim::scenario::Mistake;

#[test]
fn a_sound_file_has_no_mistake() {
    assert_eq!(Folder::new().mistakes(SOUND), []);
}

#[test]
fn the_first_scenario_of_the_guide_is_sound_and_every_name_is_in_the_guide() {
    let guide = include_str!("../../docs/scenarios.md");
    let (_, first) = guide.split_once("```ron\nScenario(").expect("a first scenario");
    let (first, _) = first.split_once("```").expect("its end");
    let folder = Folder::new();
    assert_eq!(folder.mistakes(&format!("Scenario({first}")), []);
    // The names come from the types: a mistake lists those that are known.
    let unknown = [
        ("seed: 7", "x: 7"),
        ("from: \"", "x: \""),
        ("Noise", "Qqqqqq"),
        ("Quiet", "Qqqqqq"),
        ("[Says(", "[Qqqqqq("),
        ("takes_ms: 800", "x: 800"),
        ("days_late", "x"),
        ("answer: Done", "answer: Qqqqqq"),
        ("AgentGone(when: Speaking(2)", "AgentGone(when: Qqqqqq(2)"),
        ("Transfer(at", "Qqqqqq(at"),
        ("Phase(\"listening\")", "Phase(\"qqqqqq\")"),
        ("Ended(\"agent_hangup\")", "Ended(\"qqqqqq\")"),
        ("Written(0)", "Qqqqqq(0)"),
    ];
    for (right, wrong) in unknown {
        let mistakes = folder.mistakes(&SOUND.replacen(right, wrong, 1));
        let advice = mistakes.iter().find_map(|told| told.advice.split_once("known here: "));
        let (_, names) = advice.unwrap_or_else(|| panic!("{wrong}: {mistakes:#?}"));
        for name in names.split(", ").map(|name| name.trim_matches('`')) {
            let told = [format!("`{name}`"), format!("`{name}(")];
            assert!(told.iter().any(|told| guide.contains(told)), "the guide lacks {name}");
        }
    }
}

/// What is right, what is written instead, the words that are shown, and a part of the help.
const SLIPS: &[(&str, &str, &str, &str)] = &[
    // how it is written
    ("seed: 7", "sead: 7", "sead", "`seed`"),
    ("(hears: \"hours\"", "(heres: \"hours\"", "heres", "`hears`"),
    ("Says(words: \"Hi.\"", "Sais(words: \"Hi.\"", "Sais", "`Says`"),
    ("Quiet(700)", "Quit(700)", "Quit", "`Quiet`"),
    ("language: en", "language: \"en\"", "\"en\"", "without quotation marks"),
    ("language: en", "language: fr", "fr", "`es`"),
    ("[Says(\"We are open.\")]", "Says(\"We are open.\")", "Says", "[ …, … ]"),
    ("takes_ms: 800", "takes_ms: 800ms", "800ms", "without `ms`"),
    ("takes_ms: 800", "takes_ms: -1", "-1", ""),
    ("takes_ms: 800", "takes_ms: 99999999999999999999999999", "99999999999999999999999999", ""),
    ("zip: \"62701\"", "zip: 62701", "62701", "\"62701\""),
    ("MarksTwice", "MarkTwice", "MarkTwice", "`MarksTwice`"),
    ("(reply: 12000)", "(replay: 12000)", "replay", "`reply`"),
    ("title: \"Hours\",", "title = \"Hours\",", "=", ""),
    ("Heard(\"opening\")", "Hears(\"opening\")", "Hears", "`Heard`"),
    ("\"We are open.\"", "“We are open.”", "“We are open.”", ""),
    // what it says
    ("title: \"Hours\"", "title: \" \"", "\" \"", ""),
    ("\"+15555550105\"", "\"555-0105\"", "\"555-0105\"", "E.164"),
    ("digits: \"12#\"", "digits: \"1 2#\"", "\"1 2#\"", "without spaces"),
    ("digits: \"12#\"", "digits: \"\"", "\"\"", ""),
    ("ms: 300", "ms: 0", "0", ""),
    ("Quiet(700)", "Quiet(86400001)", "86400001", ""),
    ("Calls(\"hangup_call\"", "Calls(\"hangup\"", "\"hangup\"", "`hangup_call`"),
    ("hears: \"hours\"", "hears: \"\"", "\"\"", ""),
    ("number: \"100234\"", "number: \"100-234\"", "\"100-234\"", ""),
    ("\"1980-03-04\"", "\"1980-02-30\"", "\"1980-02-30\"", ""),
    ("session: 1", "session: 0", "0", ""),
    ("status: 429", "status: 200", "200", ""),
    ("Speaking(2)", "Speaking(0)", "0", ""),
    ("target: \"servicing\"", "target: \"service\"", "\"service\"", "`servicing`"),
    ("name: \"make_payment\"", "name: \"lookup_loan\"", "\"lookup_loan\"", "`make_payment`"),
    (
        "Function(\"lookup_loan\", \"done\")",
        "Function(\"lookup_laon\", \"done\")",
        "\"lookup_laon\"",
        "`lookup_loan`",
    ),
    ("\"not-verified\"", "\"not_verified\"", "\"not_verified\"", "`not-verified`"),
    ("Heard(\"opening\")", "Heard(\"opning\")", "\"opning\"", "`opening`"),
    ("after: Quiet(700)", "after: 700", "700", "`Quiet(700)`"),
    (
        "[Says(\"We are open.\")]",
        "[Says(words: \"We are open.\")]",
        "Says",
        "write `Says(\"We are open.\")`",
    ),
    ("Written(0)", "Status(\"complete\")", "\"complete\"", "`completed`"),
    (
        "Written(0)",
        "Function(\"make_payment\", \"not-verified\")",
        "\"not-verified\"",
        "our gate refuses has no outcome",
    ),
    ("Written(0)", "Function(\"play_dtmf\", \"not_done\")", "\"not_done\"", "`not-done`"),
    ("Phase(\"listening\")", "Phase(\"listen\")", "\"listen\"", "`listening`"),
    ("Written(0)", "Times(\"opning\", 1)", "\"opning\"", "`opening`"),
    ("Written(0)", "Before(\"opening\", \"farwell\")", "\"farwell\"", "`farewell`"),
    ("Written(0)", "Before(\"opening\")", "Before", ""),
    ("Written(0)", "Refused(\"make_payment\", \"not offerd\")", "\"not offerd\"", "`not offered`"),
    ("Written(0)", "Refused(\"pay\", \"not offered\")", "\"pay\"", "`play_dtmf`"),
    ("Written(0)", "AgentTold(\"1234 5678\")", "\"1234 5678\"", "[8 digits]"),
    ("Written(0)", "Asked(\"hangup\", 1)", "\"hangup\"", "`hang-up`"),
    ("Written(0)", "Asked(\"dial\", -1)", "-1", ""),
    (
        "Calls(\"hangup_call\", {})",
        "CallsAll([(\"hangup_cal\", {})])",
        "\"hangup_cal\"",
        "`hangup_call`",
    ),
    ("Calls(\"hangup_call\", {})", "CallsAll([(\"hangup_call\")])", "(", ""),
    ("Calls(\"hangup_call\", {})", "CallsAll([])", "[", ""),
    ("words: \"Hi.\"", "words: \"Hi.\", keys: \"1 2\"", "\"1 2\"", "without spaces"),
    ("Ended(\"agent_hangup\")", "Ended(\"agent-hangup\")", "\"agent-hangup\"", "`agent_hangup`"),
    ("Written(0)", "Ended(\"no_input\")", "Ended(\"agent_hangup\")", ""),
    ("companies/summit.toml", "companies/sumit.toml", "\"companies/sumit.toml\"", "summit.toml"),
    ("takes_ms: 800", "takes_ms: 86400001u64", "86400001u64", ""),
    ("takes_ms: 800", "takes_ms: 1e3", "1e3", ""),
    ("at_ms: 90000, target", "at_ms: 90000, within_ms: 9, target", "within_ms", "`at_ms`"),
    ("seed: 7,", "seed: 7;", ";", ""),
    ("seed: 7,", "seed: 7, # the seed, 1 (one)", "#", "`//`"),
    ("    seed: 7,", "\u{a0}\u{a0}seed: 7,", "\u{a0}\u{a0}", ""),
    ("title: \"Hours\"", "title: Hours and days\"", "Hours and days\"", ""),
    ("Says(\"We are open.\")", "Says(We are open.\")", "We are open.\"", ""),
    ("Transfer(at_ms", "Transfer at_ms", "Transfer", ""),
    ("\"2026-02-28\"", "\"2026-02-30\"", "\"2026-02-30\"", ""),
];

#[test]
fn what_is_sound_though_it_looks_odd_is_no_mistake() {
    let folder = Folder::new();
    for (usual, odd) in [
        ("takes_ms: 800", "takes_ms: 800u64"),
        ("(reply: 12000)", "(reply: 12000u64)"),
        // Words of our own lines, beside the ids that they resemble.
        ("Heard(\"opening\")", "Heard(\"still\")"),
        ("Heard(\"opening\")", "NeverHeard(\"nobody\")"),
        ("Written(0)", "Written(0), Written(0x0)"),
    ] {
        assert_eq!(folder.mistakes(&SOUND.replacen(usual, odd, 1)), [], "{odd}");
    }
    let summit = std::fs::read_to_string(folder.path("companies/summit.toml")).expect("a file");
    let limited = format!("{summit}\n[function_limits.lookup_loan]\nbudget = 5000\n");
    std::fs::write(folder.path("limited.toml"), limited).expect("a file");
    let text = SOUND.replace("companies/summit.toml", "limited.toml");
    assert_eq!(folder.mistakes(&text), [], "as companies.md has it");
}

#[test]
fn more_mistakes_than_are_told_are_mentioned_and_a_long_file_is_read_at_once() {
    let folder = Folder::new();
    let sixty: String = (0..60).map(|n| format!("Hoard{n}(\"x\"), ")).collect();
    let sixty = sixty.trim_end_matches(", ");
    let mistakes = folder.mistakes(&SOUND.replace("Written(0)", sixty));
    assert_eq!(mistakes.len(), 51, "{:#?}", &mistakes[49..]);
    assert!(mistakes.iter().any(|told| told.what.starts_with("there may be more")));
    // What takes time by the square of its length takes minutes here.
    let many = format!("Written(0){}", ", Written(0)".repeat(40_000));
    assert_eq!(folder.mistakes(&SOUND.replace("Written(0)", &many)), []);
    let open = format!("{}[{}", SOUND.trim_end(), "[],".repeat(150_000));
    assert!(!folder.mistakes(&open).is_empty());
}

#[test]
fn a_list_that_is_not_closed_is_the_only_mistake_of_a_company() {
    let folder = Folder::new();
    let summit = std::fs::read_to_string(folder.path("companies/summit.toml")).expect("a file");
    let numbers = summit.lines().find(|line| line.starts_with("numbers")).expect("numbers");
    let open = summit.replace(numbers, numbers.trim_end_matches(']'));
    std::fs::write(folder.path("open.toml"), open).expect("a file");
    let mistakes = folder.mistakes(&SOUND.replace("companies/summit.toml", "open.toml"));
    assert_eq!(mistakes.len(), 1, "{mistakes:#?}");
    assert_eq!(mistakes[0].what, "a list is not closed");
}

#[test]
fn every_mistake_is_told_at_its_own_place_with_the_nearest_name() {
    let folder = Folder::new();
    for &(right, wrong, words, advice) in SLIPS {
        assert_eq!(SOUND.matches(right).count(), 1, "{right}");
        let text = SOUND.replacen(right, wrong, 1);
        let mistakes = folder.mistakes(&text);
        assert_eq!(mistakes.len(), 1, "{wrong}: {mistakes:#?}");
        let Told { line, column, words: told, advice: help, .. } = &mistakes[0];
        assert_eq!(told, words, "{wrong}: {mistakes:#?}");
        assert!(help.contains(advice), "{wrong}: {help}");
        let start: usize = text.split_inclusive('\n').take(line - 1).map(str::len).sum();
        let here: String = text[start..].chars().skip(column - 1).collect();
        assert!(here.starts_with(words), "{wrong} is shown at {line}:{column}");
    }
}

#[test]
fn all_mistakes_of_a_file_are_told_and_a_word_that_is_wrong_thrice_is_told_thrice() {
    let text = SOUND
        .replace("lookup_loan", "lookup_laon")
        .replace("seed: 7", "sead: 7")
        .replace("session: 1", "session: 0")
        .replace("Quiet(700)", "Quit(700)")
        .replace("title: \"Hours\",\n", "");
    let words: Vec<_> = Folder::new().mistakes(&text).into_iter().map(|told| told.words).collect();
    assert_eq!(
        words,
        ["Scenario", "sead", "Quit", "\"lookup_laon\"", "0", "\"lookup_laon\"", "\"lookup_laon\"",],
    );
}

#[test]
fn one_slip_of_the_finger_is_one_mistake() {
    let slips = [
        ("seed: 7,", "seed: 7", "7"),
        ("title: \"Hours\",", "title: \"Hours\"),", ","),
        (
            "            Noise(ms: 300),\n        ],\n    ),",
            "            Noise(ms: 300),\n        ],\n    ",
            "(",
        ),
        (
            "            Noise(ms: 300),\n        ],\n    ),",
            "            Noise(ms: 300),\n        ],",
            "(",
        ),
        ("\n    expect: [", "\n    expect: [Phase(\"ended\"], ", "]"),
        ("    seed: 7,", "\u{0}    seed: 7,", "\u{0}"),
        ("    language: en,\n    seed: 7,\n", "", "Scenario"),
        ("title: \"Hours\",", "title: \"Hours,", "\"Hours"),
        ("title: \"Hours\",", "title \"Hours\",", "title"),
        ("[Says(\"We are open.\")]", "[Says(\"We are open.\"]", "("),
        ("takes_ms: 800,", "takes_ms: 800 800,", "0"),
        ("faults: [", "faults: (", "]"),
        ("    ],\n    expect", "    expect", "["),
        ("// a comment", "/* a comment", "/*"),
    ];
    let folder = Folder::new();
    for (right, wrong, words) in slips {
        assert_eq!(SOUND.matches(right).count(), 1, "{right}");
        let mistakes = folder.mistakes(&SOUND.replacen(right, wrong, 1));
        assert_eq!(mistakes.len(), 1, "{wrong}: {mistakes:#?}");
        assert_eq!(mistakes[0].words, words, "{wrong}: {mistakes:#?}");
    }
}

#[test]
fn a_recording_that_nobody_can_play_is_told_where_it_is_named() {
    let folder = Folder::new();
    let header = |coding: u16, bits: u16, bytes: u32| {
        let mut wav = b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0".to_vec();
        wav.extend(coding.to_le_bytes());
        wav.extend([1, 0]);
        wav.extend(8_000_u32.to_le_bytes());
        wav.extend((8_000 * u32::from(bits) / 8).to_le_bytes());
        wav.extend((bits / 8).to_le_bytes());
        wav.extend(bits.to_le_bytes());
        wav.extend(b"data");
        wav.extend(bytes.to_le_bytes());
        wav.extend(vec![0; bytes as usize]);
        wav
    };
    let recordings = [
        (Vec::new(), "is empty"),
        (header(1, 16, 0), "is empty"),
        (header(1, 16, 16_000), "no speech"),
        (header(6, 8, 8_000), "A-law"),
        (b"ID3\x04 this is an MP3 file".to_vec(), "no WAV file"),
        (header(1, 16, 16_000)[..100].to_vec(), "cut off"),
    ];
    let text = SOUND.replace("\"Hi.\"", "\"Hi.\", wav: \"odd.wav\"");
    for (bytes, what) in recordings {
        std::fs::write(folder.path("odd.wav"), bytes).expect("a writable file");
        let mistakes = folder.mistakes(&text);
        assert_eq!(mistakes.len(), 1, "{what}: {mistakes:#?}");
        assert_eq!(mistakes[0].words, "\"odd.wav\"");
        assert!(mistakes[0].what.contains(what), "{what}: {}", mistakes[0].what);
    }
    std::fs::remove_file(folder.path("odd.wav")).expect("the file");
    std::fs::create_dir(folder.path("odd.wav")).expect("a folder");
    assert!(folder.mistakes(&text)[0].what.contains("not a file"));
}

#[test]
fn the_mistakes_of_a_company_are_told_in_its_own_file() {
    let folder = Folder::new();
    let sound =
        std::fs::read_to_string(scenarios().join("companies/summit.toml")).expect("a company");
    let changes = [
        ("\"lookup_loan\"", "\"lookup_laon\"", "\"lookup_laon\""),
        ("version = 3", "version = 0", "0"),
        ("farewell = ", "farewel = ", "farewel"),
        ("[\"+15550100077\"]", "[]", "[]"),
        ("language = \"en\"", "language = en", "en"),
    ];
    for (right, wrong, words) in changes {
        std::fs::write(folder.path("own.toml"), sound.replacen(right, wrong, 1)).expect("a file");
        let mistakes = folder.mistakes(&SOUND.replace("companies/summit.toml", "own.toml"));
        let told =
            mistakes.iter().any(|told| told.words == words && told.file.ends_with("own.toml"));
        assert!(told, "{wrong}: {mistakes:#?}");
    }
}

#[test]
fn all_mistakes_of_a_company_are_told_at_once_at_their_values() {
    let folder = Folder::new();
    let text = "id = \"Own!\"\nname = \"\"\nversion = 0\nnumbers = []\nlanguage = \"es\"\n\
                functions = [\"lookup_laon\"]\nfarewel = \"lock\"\nrecording = 7\n\
                [agents.en]\nvoice = 3\nlisten_model = \"a\"\nthink_provider = \"b\"\nprompt = \"c\"\n\
                [limits]\nsilence_prompt = 9000\nsilence_farewell = 8000\nreply = 5\nfillr = 3\n";
    std::fs::write(folder.path("own.toml"), text).expect("a file");
    let mistakes = folder.mistakes(&SOUND.replace("companies/summit.toml", "own.toml"));
    let own = mistakes.iter().filter(|told| told.file.ends_with("own.toml"));
    let words: Vec<_> = own.map(|told| told.words.as_str()).collect();
    let expected = [
        "\"Own!\"",
        "\"\"",
        "0",
        "[]",
        "\"es\"",
        "\"lookup_laon\"",
        "farewel",
        "7",
        "en",
        "3",
        "8000",
        "5",
        "fillr",
    ];
    assert_eq!(words, expected, "{mistakes:#?}");

    let garbled =
        "id = own\nname = \"No\nverson = 3\nnumbers = [\"+15550100077\"\nlanguage = \"en\"\n";
    std::fs::write(folder.path("own.toml"), garbled).expect("a file");
    let mistakes = folder.mistakes(&SOUND.replace("companies/summit.toml", "own.toml"));
    let what: Vec<_> = mistakes.iter().map(|told| told.what.as_str()).collect();
    let expected = [
        "a text stands without quotation marks",
        "a text is not closed",
        "there is no field `verson`",
        "a list is not closed",
    ];
    assert_eq!(what, expected, "{mistakes:#?}");
}

#[test]
fn a_folder_in_the_place_of_a_company_is_told_with_what_it_holds() {
    let mistakes = Folder::new().mistakes(&SOUND.replace("companies/summit.toml", "companies"));
    assert!(mistakes[0].what.ends_with("is a folder, not a company file"), "{mistakes:#?}");
    assert!(mistakes[0].advice.contains("`companies/summit.toml`"), "{mistakes:#?}");
}

#[test]
fn what_the_record_masks_is_a_mistake_with_the_masked_words_as_help() {
    let folder = Folder::new();
    let text = SOUND
        .replace("words: \"Hi.\"", "words: \"It is one zero zero two three four, for $1234.50.\"");
    for (expected, help) in [
        ("CallerSaid(\"one zero zero two three four\")", "write \"[6 digits]\""),
        ("CallerSaid(\"100234\")", "write \"[6 digits]\""),
        ("NeverHeard(\"100234\")", "write \"[6 digits]\""),
        ("CallerSaid(\"zero zero two three\")", "[6 digits]"),
    ] {
        let mistakes = folder.mistakes(&text.replace("Written(0)", expected));
        assert_eq!(mistakes.len(), 1, "{expected}: {mistakes:#?}");
        assert!(mistakes[0].advice.contains(help), "{expected}: {mistakes:#?}");
    }
    // An amount of money is kept.
    for sound in ["CallerSaid(\"[6 digits]\")", "CallerSaid(\"1234\")"] {
        assert_eq!(folder.mistakes(&text.replace("Written(0)", sound)), [], "{sound}");
    }
}

#[test]
fn a_file_that_is_too_large_is_not_told_to_be_another_kind_of_file() {
    let folder = Folder::new();
    let mistakes = folder.mistakes_of(&vec![b' '; 2 << 20]);
    assert!(mistakes[0].what.contains("larger than 1 MiB"), "{mistakes:#?}");
    assert!(!mistakes[0].advice.contains(".ron"), "{mistakes:#?}");
}

/// Three scenarios of one company: its file is the one that is wrong.
#[test]
fn the_sum_counts_files_that_are_wrong_and_not_those_that_use_them() {
    let folder = Folder::new();
    std::fs::write(folder.path("own.toml"), "id = own\nname = own\n").expect("a file");
    for name in ["1.ron", "2.ron", "3.ron"] {
        let text = SOUND.replace("companies/summit.toml", "own.toml");
        std::fs::write(folder.path(name), text).expect("a file");
    }
    let shown = String::from_utf8(sim(&[folder.0.path()]).stderr).expect("text");
    assert!(shown.ends_with("\n2 mistakes\n"), "{shown}");
}

#[test]
fn odd_files_are_told_and_not_tripped_over() {
    let folder = Folder::new();
    let odd: [&[u8]; 9] = [
        b"",
        b"\0\0\0",
        b"\xff\xfe",
        b"Scenario(title: \"\xe9\")",
        &[b'('; 200_000],
        &[b'['; 200_000],
        b"/* /* never closed",
        b"Scenario(seed: 0x1ffffffffffffffffffffffffffffffffffffffffff)",
        b"{{{\"a\": \"\\u{110000}\"",
    ];
    for bytes in odd {
        assert!(!folder.mistakes_of(bytes).is_empty());
    }
    let crlf = format!("\u{feff}{}", SOUND.replace('\n', "\r\n"));
    assert_eq!(folder.mistakes(&crlf), [], "as an editor of Windows saves it");
    let mistakes = folder.mistakes(&crlf.replace("seed: 7", "sead: 7"));
    assert_eq!((mistakes[0].line, mistakes[0].column), (6, 5));

    std::fs::create_dir(folder.path("folder.ron")).expect("a folder");
    assert!(Scenario::load(&folder.path("folder.ron")).is_err());
    std::fs::write(folder.path("large.ron"), vec![b' '; 2 << 20]).expect("a file");
    assert!(Scenario::load(&folder.path("large.ron")).is_err());
}

#[test]
fn all_mistakes_of_a_folder_are_shown_in_eighty_columns_without_colour() {
    let folder = Folder::new();
    let long = format!("seed: 7, // {}", "a long line ".repeat(30));
    std::fs::write(folder.path("1.ron"), SOUND.replace("seed: 7,", &format!("sead: 7, {long}")))
        .expect("a file");
    std::fs::write(folder.path("2.ron"), SOUND.replace("lookup_loan", "look\u{1b}[31mup"))
        .expect("a file");
    std::fs::write(folder.path("3.ron"), b"\xff\0").expect("a file");
    std::fs::write(folder.path("4.ron"), SOUND).expect("a file");
    std::fs::create_dir(folder.path("5.ron")).expect("a folder");
    std::fs::write(folder.path("5.ron/6.ron"), vec![b' '; 2 << 20]).expect("a file inside it");
    let output = sim(&[folder.0.path()]);
    assert_eq!(output.status.code(), Some(2));
    let shown = String::from_utf8(output.stderr).expect("text");
    assert!(!shown.contains('\x1b'), "{shown}");
    for place in
        ["1.ron:6:5: there is no field `sead`", "2.ron:", "3.ron:1:1: ", "5.ron/6.ron is larger"]
    {
        assert!(shown.replace("\n  | ", " ").contains(place), "no {place} in\n{shown}");
    }
    for line in shown.lines() {
        // A path is never broken.
        let path = folder.0.path().display().to_string();
        assert!(line.chars().count() <= 80 || line.contains(&path), "{line}");
    }
    let story = String::from_utf8(output.stdout).expect("text");
    assert!(story.contains("# Hours"), "the sound one is played");

    let output = sim(&[Path::new("--json"), folder.0.path()]);
    assert_eq!(output.status.code(), Some(2));
    let lines: Vec<serde_json::Value> = String::from_utf8_lossy(&output.stdout)
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    assert_eq!(lines.len(), 5, "{lines:#?}");
    let first = &lines[0]["mistakes"][0];
    assert_eq!(
        (&first["line"], &first["column"], &first["words"]),
        (&6.into(), &5.into(), &"sead".into())
    );
    assert!(first["help"].as_str().is_some_and(|help| help.contains("`seed`")));
    assert!(lines[3]["mistakes"].is_null() && lines[3]["ended"].is_string());
    assert!(lines[4]["mistakes"][0]["line"].is_null());

    std::fs::create_dir(folder.path("nothing")).expect("a folder");
    let output = sim(&[&folder.path("nothing")]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("no .ron file in"));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) })]

    #[test]
    fn no_bytes_trip_the_reader(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        Folder::new().mistakes_of(&bytes);
    }

    #[test]
    fn no_signs_trip_the_reader(text in "[(){}\\[\\],:\"'\\\\/*#rb0-9a-zA-Z .\n“é=-]{0,300}") {
        Folder::new().mistakes_of(text.as_bytes());
    }

    #[test]
    fn no_change_trips_the_reader(
        changes in prop::collection::vec((any::<prop::sample::Index>(), 0_usize..9, any::<[u8; 2]>()), 1..8),
    ) {
        let mut bytes = SOUND.as_bytes().to_vec();
        for (at, length, put) in changes {
            let at = at.index(bytes.len());
            let end = (at + length).min(bytes.len());
            bytes.splice(at..end, put.into_iter().take(length % 3));
            prop_assume!(!bytes.is_empty());
        }
        Folder::new().mistakes_of(&bytes);
    }
}

const SOUND: &str = r#"// a comment
Scenario(
    title: "Hours",
    company: "companies/summit.toml",
    language: en,
    seed: 7,
    caller: (
        from: "+15555550105",
        turns: [
            Says(words: "Hi.", after: Quiet(700)),
            Keys(digits: "12#"),
            Noise(ms: 300),
        ],
    ),
    agent: [
        (hears: "hours", does: [Says("We are open.")]),
        (hears: "late", does: [Calls("lookup_loan", { "zip": "62701" })]),
        (hears: "goodbye", does: [Calls("hangup_call", {})]),
    ],
    back_office: (
        takes_ms: 800,
        loans: [(
            number: "100234",
            date_of_birth: "1980-03-04",
            zip: "62701",
            first_name: "Maria",
            due_cents: 24310,
            due_date: "2026-02-28",
            days_late: 2,
        )],
        writes: [(name: "make_payment", takes_ms: 5000, answer: Done)],
    ),
    limits: (reply: 12000),
    faults: [
        MarksTwice,
        AgentRefuses(session: 1, status: 429),
        AgentGone(when: Speaking(2), after_ms: 0),
    ],
    operator: [
        Transfer(at_ms: 90000, target: "servicing"),
    ],
    expect: [
        Heard("opening"),
        Function("lookup_loan", "done"),
        Function("lookup_loan", "not-verified"),
        Phase("listening"),
        Written(0),
        Ended("agent_hangup"),
    ],
)
"#;

#[derive(Debug, PartialEq, Eq)]
struct Told {
    file: String,
    line: usize,
    column: usize,
    words: String,
    what: String,
    advice: String,
}

impl From<&Mistake> for Told {
    fn from(mistake: &Mistake) -> Self {
        let (line, column) = mistake.place().unwrap_or((0, 0));
        Self {
            file: mistake.file().to_owned(),
            line,
            column,
            words: mistake.words().to_owned(),
            what: mistake.what().to_owned(),
            advice: mistake.advice().unwrap_or_default().to_owned(),
        }
    }
}

/// A folder for scenarios, with a link to the companies.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let companies = scenarios().join("companies").canonicalize().expect("a folder");
        std::os::unix::fs::symlink(companies, folder.path().join("companies")).expect("a link");
        Self(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn mistakes(&self, text: &str) -> Vec<Told> {
        self.mistakes_of(text.as_bytes())
    }

    /// What is wrong with a file of these bytes. It is shown, too, as to a reader.
    fn mistakes_of(&self, bytes: &[u8]) -> Vec<Told> {
        let file = self.path("scenario.ron");
        std::fs::write(&file, bytes).expect("a writable file");
        let Err(problem) = Scenario::load(&file) else { return Vec::new() };
        let told: Vec<_> = problem.mistakes().map(Told::from).collect();
        let shown = format!("{:?}", miette::Report::new(*problem));
        assert!(!told.is_empty() && !shown.is_empty());
        told
    }
}

fn scenarios() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios")
}

fn sim(arguments: &[&Path]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_sim")).args(arguments).output().expect("sim runs")
}
