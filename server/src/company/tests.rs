use super::*;

const PERSONS: &str = "\n[transfer]\nfront-desk = \"+15550100077\"\n";
const ACME: &str = include_str!("../../../scenarios/companies/acme.toml");

#[test]
fn the_shipped_company_is_sound_and_speaks_both_languages() {
    let acme = Tenant::parse("acme.toml", ACME).unwrap();
    assert_eq!(acme.company().numbers, ["+15550100099"]);
    assert_eq!(acme.language("es-MX"), Language::Spanish);
    assert_eq!(acme.language("../../etc"), Language::English);
    for language in Language::ALL {
        let profile = profile(acme.company(), language).unwrap();
        assert_eq!(profile.tags, ["acme"]);
        assert_eq!(profile.language_hints[0], language.tag());
        assert_eq!(profile.language_hints.len(), 2);
        let names: Vec<_> = profile.functions.iter().map(|f| f.name.as_str()).collect();
        assert_eq!(names, ["hangup_call", "lookup_loan"]);
        assert!(profile.voice.ends_with(language.tag()));
        assert!(profile.context.is_empty());
    }
}

#[test]
fn a_call_knows_whether_its_company_wants_it_summed_up() {
    let details = || CallDetails {
        call: "CA1".to_owned(),
        from: String::new(),
        to: String::new(),
        language: Language::English,
        utc_start_ms: 0,
        prompt_hash: String::new(),
    };
    let wants = |text: &str| {
        let tenant = Tenant::parse("acme.toml", text).unwrap();
        tenant.company().brief(details()).summaries
    };
    assert!(!wants(ACME));
    assert!(wants(&format!("summaries = true\n{ACME}")));
    let error = Tenant::parse("acme.toml", &format!("summaries = 1\n{ACME}")).unwrap_err();
    assert!(error.to_string().starts_with("acme.toml:1:13: summaries: "), "{error}");
}

#[test]
fn every_word_of_a_prompt_counts_in_its_hash() {
    assert_eq!(prompt_hash("abc"), "ba7816bf8f01cfea");
    assert_ne!(prompt_hash("abc "), prompt_hash("abc"));
}

#[test]
fn a_value_of_the_wrong_kind_is_named_with_its_line_and_column() {
    let broken = ACME.replacen("version = 1", "version = \"one\"", 1);
    let line = line_of(&broken, "version =");
    let error = Tenant::parse("acme.toml", &broken).unwrap_err().to_string();
    assert!(error.starts_with(&format!("acme.toml:{line}:11: version: ")), "{error}");
    assert!(error.contains("u32"), "{error}");
}

#[test]
fn a_field_inside_a_table_is_named_with_its_table() {
    let broken = ACME.replacen("voice = \"aura-2-thalia-en\"", "voice = 7", 1);
    let line = line_of(&broken, "voice = 7");
    let error = Tenant::parse("acme.toml", &broken).unwrap_err().to_string();
    assert!(error.starts_with(&format!("acme.toml:{line}:9: agents.en.voice: ")), "{error}");
}

#[test]
fn an_unknown_field_and_a_missing_one_are_named() {
    let unknown = ACME.replacen("version = 1", "version = 1\nversoin = 2", 1);
    let error = Tenant::parse("acme.toml", &unknown).unwrap_err().to_string();
    assert!(error.contains("versoin"), "{error}");
    let missing = ACME.replacen("version = 1", "", 1);
    let error = Tenant::parse("acme.toml", &missing).unwrap_err().to_string();
    assert!(error.contains("missing field `version`"), "{error}");
}

#[test]
fn an_unknown_function_is_named_with_the_one_that_was_meant() {
    let broken = ACME.replacen("\"lookup_loan\"", "\"look_up_loan\"", 1);
    let line = line_of(&broken, "functions =");
    let error = Tenant::parse("acme.toml", &broken).unwrap_err().to_string();
    let expected = "there is no function `look_up_loan`; did you mean `lookup_loan`?";
    assert_eq!(error, format!("acme.toml:{line}:1: functions: {expected}"));
}

#[test]
fn persons_and_tones_are_offered_and_payments_are_not_yet() {
    let functions = "\"lookup_loan\", \"transfer_call\", \"play_dtmf\"";
    let text = ACME.replacen("\"lookup_loan\"", functions, 1) + PERSONS;
    let acme = Tenant::parse("acme.toml", &text).unwrap();
    assert_eq!(acme.company().transfer["front-desk"], "+15550100077");
    let text = ACME.replacen("\"lookup_loan\"", "\"make_payment\"", 1);
    assert_ne!(text, ACME);
    let error = Tenant::parse("acme.toml", &text).unwrap_err().to_string();
    assert!(
        error.contains("functions: no server can run `make_payment` yet; take it out"),
        "{error}"
    );
}

/// F-TR-08.
#[test]
fn a_person_who_cannot_be_called_is_named_in_the_file() {
    let number = "+15550100077";
    for (sound, broken, expected) in [
        (number, "5550100077", "transfer.front-desk: must be in E.164 form"),
        (number, "+15550100099", "transfer.front-desk: must not be a number of the company's"),
        ("front-desk", "desk-5551234", "transfer.desk-5551234: must be a short name"),
    ] {
        let text = ACME.to_owned() + &PERSONS.replacen(sound, broken, 1);
        let error = Tenant::parse("acme.toml", &text).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
        let line = 1 + text.lines().position(|line| line.contains("desk")).unwrap();
        assert!(error.starts_with(&format!("acme.toml:{line}:")), "{error}");
    }
    let text = ACME.replacen("\"lookup_loan\"", "\"transfer_call\"", 1);
    let error = Tenant::parse("acme.toml", &text).unwrap_err().to_string();
    assert!(error.contains("functions: transfer_call needs somebody"), "{error}");
}

#[test]
fn what_no_company_can_have_is_refused() {
    let faulty = [
        ("+15550100099", "5550100099", "numbers: must be in E.164"),
        ("id = \"acme\"", "id = \"Acme!\"", "id: must be lower-case"),
        ("version = 1", "version = 0", "version: must be 1 or more"),
        ("\"gpt-4.1-mini\"", "\" \"", "agents.en.think_model: must name the model"),
    ];
    for (sound, broken, expected) in faulty {
        let text = ACME.replacen(sound, broken, 1);
        assert_ne!(text, ACME, "{sound} is not in the file");
        let error = Tenant::parse("acme.toml", &text).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}

/// F-PR-15: whoever mends a file does not learn of its mistakes one by one.
#[test]
fn every_mistake_of_a_file_is_told_at_once_with_its_place() {
    let mut text = ACME.to_owned();
    for (sound, broken) in [
        ("id = \"acme\"", "id = \"Acme!\""),
        ("name = \"Acme Home Loans\"\n", ""),
        ("version = 1", "version = \"one\""),
        ("numbers = [\"+15550100099\"]", "numbers = [\"5550100099\"]"),
        ("\"lookup_loan\"", "\"look_up_loan\", \"sing\""),
        ("voice = \"aura-2-thalia-en\"", "voice = 7"),
        ("think_provider = \"open_ai\"", "think_provder = \"open_ai\""),
        ("voice = \"aura-2-celeste-es\"", "voice = \"\""),
    ] {
        assert!(text.contains(sound), "{sound} is not in the file");
        text = text.replacen(sound, broken, 1);
    }
    text += "\n[limits]\nreply = 10\nfarewel = 1000\nfiller = \"soon\"\n";
    let told = Tenant::parse("acme.toml", &text).unwrap_err().to_string();
    let told: Vec<&str> = told.lines().collect();
    let expected = [
        ("", 1, "name: missing field `name`"),
        ("id =", 1, "id: must be lower-case"),
        ("version =", 11, "version: invalid type: string \"one\", expected u32"),
        ("numbers =", 1, "numbers: must be in E.164 form"),
        ("functions =", 1, "functions: there is no function `look_up_loan`; did you mean"),
        ("functions =", 1, "functions: there is no function `sing`"),
        ("[agents.en]", 1, "agents.en.think_provider: missing field `think_provider`"),
        ("voice = 7", 9, "agents.en.voice: invalid type: integer `7`, expected a string"),
        ("think_provder", 1, "agents.en.think_provder: unknown field `think_provder`, expected"),
        ("voice = \"\"", 1, "agents.es.voice: must name a voice"),
        ("reply = 10", 1, "limits.reply: must be a second"),
        ("farewel =", 1, "limits.farewel: unknown field `farewel`, expected"),
        ("filler =", 10, "limits.filler: invalid type: string"),
    ];
    assert_eq!(told.len(), expected.len(), "{told:#?}");
    for (told, (beginning, column, what)) in told.into_iter().zip(expected) {
        let line = line_of(&text, beginning);
        let whole = format!("acme.toml:{line}:{column}: {what}");
        assert!(told.starts_with(&whole), "{told}\n{whole}");
    }
}

#[test]
fn what_is_compared_with_a_field_that_cannot_be_read_is_not_called_wrong() {
    let text = ACME.replacen("language = \"en\"", "language = \"fr\"", 1);
    let text = text + "\n[limits]\nsilence_prompt = \"late\"\nsilence_farewell = 2000\n";
    let told = Tenant::parse("acme.toml", &text).unwrap_err();
    let fields: Vec<_> = told.0.iter().map(field_of).collect();
    assert_eq!(fields, ["language", "limits.silence_prompt"], "{told}");
}

#[test]
fn a_file_that_is_no_toml_is_told_by_its_writing_alone() {
    let text = ACME.replacen("version = 1", "version = = 1\nlanguage en", 1);
    let told = Tenant::parse("acme.toml", &text).unwrap_err();
    assert!(told.0.len() >= 2, "{told}");
    let line = line_of(&text, "version =");
    assert!(told.to_string().starts_with(&format!("acme.toml:{line}:")), "{told}");
}

/// F-PR-15.
#[test]
fn the_mistakes_of_all_files_of_a_folder_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    let load_all = || load(folder.path());
    write("notes.txt", "no company");
    assert!(load_all().unwrap_err().to_string().contains("holds no company file"));
    write("a.toml", &ACME.replacen("version = 1", "version = 0", 1));
    write("b.toml", &ACME.replacen("+15550100099", "5550100099", 1));
    let told = load_all().unwrap_err();
    assert_eq!(told.0.iter().map(field_of).collect::<Vec<_>>(), ["version", "numbers"], "{told}");
    write("a.toml", ACME);
    write("b.toml", ACME);
    let told = load_all().unwrap_err().to_string();
    assert!(told.contains("a.toml and ") && told.contains("both say that they are acme"), "{told}");
    assert!(told.contains("both say that they are +15550100099"), "{told}");
    let other =
        ACME.replacen("\"acme\"", "\"other\"", 1).replacen("+15550100099", "+15550100098", 1);
    write("b.toml", &other);
    let ids = load_all().unwrap().into_iter().map(|tenant| tenant.company().id.clone());
    assert_eq!(ids.collect::<Vec<_>>(), ["acme", "other"]);
}

/// C-07: a company's own words for our lines, wrong in every way.
#[test]
fn own_lines_are_checked_against_ours_and_against_each_other() {
    let lines = "\n[lines.en]\nopening = \"Welcome. I am a computer.\"\nhold = \"One { moment\"\n\
        farewel = \"Bye.\"\ngo-on = \"Go on, { $name }.\"\n\
        [lines.es]\nopening = \"Hola de { $company }.\"\nhold = \"Un momento.\"\n\
        go-on = \"Siga.\"\nnotice = \"Es una máquina.\"\n";
    let text = ACME.to_owned() + lines;
    let told = Tenant::parse("acme.toml", &text).unwrap_err();
    let at = |line: &str| 1 + text.lines().position(|other| other == line).unwrap();
    let expected = [
        (at("opening = \"Welcome. I am a computer.\""), "lines.en.opening: the line `opening`"),
        (at("hold = \"One { moment\""), "lines.en.hold: the line `hold` is broken"),
        (at("farewel = \"Bye.\""), "lines.en.farewel: unknown variant `farewel`, expected"),
        (at("go-on = \"Go on, { $name }.\""), "lines.en.go-on: the line `go-on` is broken"),
        (at("notice = \"Es una máquina.\""), "lines.es.notice: has no counterpart: add `notice`"),
    ];
    assert_eq!(told.0.len(), expected.len(), "{told}");
    for (told, (line, what)) in told.0.iter().zip(expected) {
        let whole = format!("acme.toml:{line}:1: {what}");
        assert!(told.to_string().starts_with(&whole), "{told}\n{whole}");
    }
}

/// What callers are told by documents and by clips made in advance is the company's, too.
#[test]
fn own_lines_are_spoken_ahead_of_calls() {
    let text = include_str!("../../../scenarios/companies/harbor.toml");
    let tenant = Tenant::parse("harbor.toml", text).unwrap();
    let lines = crate::clips::fixed(&tenant);
    let says = |words: &str| lines.iter().any(|line| line.text.starts_with(words));
    assert!(says("Welcome to Harbor Credit Union. You are talking to a computer"));
    assert!(
        says("Bienvenido a Harbor Credit Union.")
            && !says(
                "Thank you for calling Harbor Credit \
        Union. I am"
            )
    );
}

fn field_of(error: &Error) -> &str {
    match error {
        Error::Faulty { field, .. } => field,
        Error::Unreadable { .. } | Error::Folder { .. } => panic!("{error}"),
    }
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let error = Tenant::load(Path::new("nowhere/acme.toml")).unwrap_err().to_string();
    assert!(error.starts_with("nowhere/acme.toml: the file cannot be read"), "{error}");
}

fn line_of(text: &str, beginning: &str) -> usize {
    1 + text.lines().position(|line| line.starts_with(beginning)).unwrap()
}

/// What a company sets for itself has bounds, and each field beyond them is named.
#[test]
fn what_is_out_of_bounds_is_named_with_its_field() {
    let beyond = "\n[limits]\ncall = 14400001\nsilence_prompt = 600001\nsilence_farewell = 1800001\n\
        lookup = 60001\n[function_limits.lookup_loan]\nbudget = 999\ncalls_max = 0\n\
        [function_limits.hangup_call]\n[retention]\ncall = 1095\naudit = 36526\n";
    let text = ACME.replacen("-360", "841", 1) + beyond;
    let told = Tenant::parse("acme.toml", &text).unwrap_err();
    let fields: Vec<_> = told.0.iter().map(field_of).collect();
    let expected = [
        "utc_offset_minutes",
        "limits.call",
        "limits.silence_prompt",
        "limits.silence_farewell",
        "limits.lookup",
        "function_limits.lookup_loan.budget",
        "function_limits.lookup_loan.calls_max",
        "function_limits.hangup_call",
        "retention.call",
        "retention.audit",
    ];
    assert_eq!(fields, expected, "{told}");
    let lines = told.to_string();
    let line = line_of(&text, "budget = 999");
    let place = format!("acme.toml:{line}:1: function_limits.lookup_loan.budget: must be 1000");
    assert!(lines.contains(&place), "{lines}");

    let within = "\n[limits]\ncall = 14400000\n[function_limits.lookup_loan]\nbudget = 60000\n\
        calls_max = 1\n[retention]\njournal = 2555\n";
    let acme = Tenant::parse("acme.toml", &(ACME.to_owned() + within)).unwrap();
    let company = acme.company();
    assert_eq!(company.function_limits["lookup_loan"].calls_max, Some(1));
    assert_eq!((company.retention.journal, company.retention.call), (2_555, 1_096));
}

/// A company that came from elsewhere is stored as text, too, and that text is the same company.
#[test]
fn a_company_without_a_file_is_written_as_one() {
    for text in [ACME.to_owned(), ACME.to_owned() + PERSONS + "[function_limits.lookup_loan]\n"] {
        let acme = Tenant::parse("acme.toml", &text).unwrap();
        let written = Tenant::new(acme.company().clone()).unwrap();
        let read = Tenant::parse("written.toml", written.text()).unwrap();
        assert_eq!(read, written);
        assert_eq!(read.company(), acme.company());
    }
}
