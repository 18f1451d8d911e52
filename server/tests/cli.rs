//! The command line: what it says when something is missing, and what it never says.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails, in its helpers too")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const REQUIRED: [&str; 6] = [
    "PUBLIC_URL",
    "TWILIO_ACCOUNT_SID",
    "TWILIO_AUTH_TOKEN",
    "DEEPGRAM_API_KEY",
    "MIDDLEWARE_URL",
    "MIDDLEWARE_API_KEY",
];

const OPTIONAL: [&str; 15] = [
    "COMPANY_FILE",
    "LISTEN_ADDR",
    "METRICS_ADDR",
    "DATABASE_URL",
    "TWILIO_API_URL",
    "TWILIO_MEDIA_HOSTS",
    "DEEPGRAM_AGENT_URL",
    "DEEPGRAM_SPEAK_URL",
    "DEEPGRAM_READ_URL",
    "OPERATOR_TOKENS",
    "MAX_CALLS",
    "LOG_FORMAT",
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "FINGERPRINT_KEY",
    "DATA_KEYS",
];

/// Anything that is given is right.
const FREE: [&str; 2] = ["SPOOL_DIR", "AUDIT_DIR"];

#[test]
fn everything_that_is_missing_is_told_at_once_f_pr_15() {
    for arguments in [&[][..], &["run"], &["check"]] {
        let output = server(arguments, &[]);
        assert_eq!(output.status.code(), Some(2));
        let complaint = String::from_utf8(output.stderr).unwrap();
        for variable in REQUIRED {
            assert!(
                complaint.contains(&format!("\n  {variable} is not set; it must ")),
                "{complaint}"
            );
        }
        for variable in OPTIONAL {
            assert!(!complaint.contains(variable), "{complaint}");
        }
    }
}

#[test]
fn everything_that_is_wrong_is_told_at_once_and_never_its_value_f_pr_15() {
    let wrong: Vec<_> = REQUIRED.iter().chain(&OPTIONAL).map(|name| (*name, "s3cr et,")).collect();
    let output = server(&["check"], &wrong);
    assert_eq!(output.status.code(), Some(2));
    let complaint = String::from_utf8(output.stderr).unwrap();
    for variable in REQUIRED.iter().chain(&OPTIONAL) {
        assert!(complaint.contains(&format!("\n  {variable} ")), "{variable}: {complaint}");
    }
    // The company file is named, because its name is what has to be mended.
    let secrets = complaint.lines().filter(|line| !line.contains("COMPANY_FILE"));
    for line in secrets {
        assert!(!line.contains("s3cr"), "{line}");
    }
    assert!(output.stdout.is_empty());
}

#[test]
fn an_empty_variable_counts_as_none() {
    let mut variables = sound();
    for name in OPTIONAL.iter().chain(&FREE) {
        variables.retain(|(other, _)| other != name);
        variables.push((name, String::new()));
    }
    let output = check(&variables);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    variables.retain(|(name, _)| *name != "DEEPGRAM_API_KEY");
    variables.push(("DEEPGRAM_API_KEY", " ".to_owned()));
    let complaint = String::from_utf8(check(&variables).stderr).unwrap();
    assert!(complaint.contains("\n  DEEPGRAM_API_KEY is not set; it must "), "{complaint}");
}

/// As `.env.example` is loaded into a shell: every command finds all of its variables there, some empty.
#[test]
fn commands_take_an_empty_variable_for_none_too() {
    let folder = tempfile::tempdir().unwrap();
    let names =
        REQUIRED.iter().chain(&OPTIONAL).chain(&FREE).chain(&["DATABASE_OWNER_URL", "USER"]);
    let empty: Vec<_> = names.filter(|name| **name != "DATABASE_URL").collect();
    let run = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_server"));
        command.args(arguments).current_dir(&folder).env_clear();
        command.envs(empty.iter().map(|name| (name, ""))).output().unwrap()
    };
    let company = acme().display().to_string();
    for arguments in [
        &["migrate", "--database-url", "sqlite://offhook.db"][..],
        &["company", "import", &company],
        &["company", "activate", "acme"],
        &["company", "history", "acme"],
        &["calls", "list", "--database-url", ""],
        &["hold", "place", "--company", "acme", "--reason", "case 1"],
        &["hold", "release", "1"],
        &["keys", "list"],
        &["retention", "run"],
    ] {
        let output = run(arguments);
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {complaint}");
    }
    let held = String::from_utf8(run(&["hold", "list", "--all"]).stdout).unwrap();
    assert!(held.contains("by unknown"), "{held}");
    let output = run(&["audit", "verify"]);
    assert_eq!(output.status.code(), Some(2));
    let complaint = String::from_utf8(output.stderr).unwrap();
    assert!(complaint.contains("offhook-audit"), "{complaint}");
}

/// Whoever pipes into `head` is no fault of the command's.
#[test]
fn a_reader_who_leaves_is_no_panic() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("calls.db").display());
    let company = acme().display().to_string();
    let imported = server(&["company", "import", &company], &[("DATABASE_URL", &url)]);
    assert_eq!(imported.status.code(), Some(0));
    for words in ["company list", "hold list", "keys list", "retention run --dry-run"] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut command = Command::new(env!("CARGO_BIN_EXE_server"));
        command.args(words.split(' ')).env_clear().env("DATABASE_URL", &url);
        let output = command.stdout(writer).output().unwrap();
        assert_eq!(
            output.status.code(),
            Some(0),
            "{words}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
}

#[test]
fn a_sound_configuration_is_told_without_its_secrets() {
    let output = check(&sound());
    let told = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{told}");
    assert!(told.contains("Acme Home Loans (acme v1)"), "{told}");
    assert!(told.contains("https://voice.example.com/twilio/inbound_call"), "{told}");
    assert!(!told.contains("s3cret"), "{told}");
}

#[test]
fn a_configuration_without_a_company_says_where_they_come_from() {
    let mut variables = sound();
    variables.retain(|(name, _)| *name != "COMPANY_FILE");
    let output = check(&variables);
    let told = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{told}");
    assert!(told.contains("those that are active in the database are served"), "{told}");
}

#[test]
fn whether_calls_are_recorded_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("recording.toml");
    let text = fs::read_to_string(acme()).unwrap();
    for (policy, is_told) in [("off", false), ("on", true)] {
        let policy = format!("recording = \"{policy}\"");
        fs::write(&file, text.replacen("recording = \"off\"", &policy, 1)).unwrap();
        let mut variables = sound();
        variables.retain(|(name, _)| *name != "COMPANY_FILE");
        variables.push(("COMPANY_FILE", file.display().to_string()));
        let output = check(&variables);
        let told = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(0), "{told}");
        assert_eq!(told.contains("records every call, at Twilio"), is_told, "{told}");
    }
}

#[test]
fn a_broken_company_file_is_pointed_at() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("broken.toml");
    let text = fs::read_to_string(acme()).unwrap();
    let broken = text.replacen("think_model = \"gpt-4.1-mini\"", "think_model = 41", 1);
    let line = 1 + broken.lines().position(|line| line == "think_model = 41").unwrap();
    fs::write(&file, broken).unwrap();
    let mut variables = sound();
    variables.retain(|(name, _)| *name != "COMPANY_FILE");
    variables.push(("COMPANY_FILE", file.display().to_string()));
    let output = check(&variables);
    assert_eq!(output.status.code(), Some(2));
    let complaint = String::from_utf8(output.stderr).unwrap();
    let place = format!("{}:{line}:15: agents.en.think_model: ", file.display());
    assert!(complaint.contains(&place), "{complaint}");
}

#[test]
fn every_mistake_of_a_company_file_is_a_line_of_its_own_f_pr_15() {
    let folder = tempfile::tempdir().unwrap();
    let text = fs::read_to_string(acme()).unwrap();
    let broken = text.replacen("version = 1", "version = 0", 1).replacen("+1555", "1555", 1);
    fs::write(folder.path().join("broken.toml"), broken).unwrap();
    let mut variables = sound();
    variables.retain(|(name, _)| *name != "COMPANY_FILE");
    variables.push(("COMPANY_FILE", folder.path().display().to_string()));
    for command in ["check", "run"] {
        let as_text: Vec<_> = variables.iter().map(|(name, text)| (*name, text.as_str())).collect();
        let output = server(&[command], &as_text);
        assert_eq!(output.status.code(), Some(2));
        let complaint = String::from_utf8(output.stderr).unwrap();
        let told =
            complaint.lines().filter(|line| line.starts_with("  COMPANY_FILE names a faulty"));
        assert_eq!(told.count(), 2, "{complaint}");
        assert!(complaint.contains(": version: must be 1 or more. Mend it there;"), "{complaint}");
        assert!(complaint.contains(": numbers: must be in E.164 form"), "{complaint}");
    }
}

#[test]
fn what_is_counted_is_not_served_where_the_world_comes_in() {
    let mut variables = sound();
    variables.push(("METRICS_ADDR", "127.0.0.1:8080".to_owned()));
    let complaint = String::from_utf8(check(&variables).stderr).unwrap();
    assert!(complaint.contains("\n  METRICS_ADDR must be "), "{complaint}");
    variables.push(("LISTEN_ADDR", "127.0.0.1:8081".to_owned()));
    assert_eq!(check(&variables).status.code(), Some(0));
}

#[test]
fn a_flag_comes_before_its_variable() {
    let mut variables = sound();
    variables.push(("MAX_CALLS", "none".to_owned()));
    let as_text: Vec<_> = variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let output = server(&["check", "--max-calls", "5"], &as_text);
    assert_eq!(output.status.code(), Some(0));
}

/// I-28.
#[test]
fn a_token_for_a_company_that_is_none_is_told_and_no_secret_with_it_i_28() {
    let variables = sound();
    let tokens = "ben:read@acmee:s3cret0123456789abcdef0123456789";
    let mut as_text: Vec<_> = variables.iter().map(|(name, text)| (*name, text.as_str())).collect();
    as_text.push(("OPERATOR_TOKENS", tokens));
    let output = server(&["check"], &as_text);
    let told = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "the database may have it");
    assert!(told.contains("OPERATOR_TOKENS: `ben` is for the company `acmee`"), "{told}");
    assert!(told.contains("did you mean `acme`?") && !told.contains("s3cret"), "{told}");
}

/// The page that `--help` shows is the one that was written: a shorter word elsewhere must not hide it.
#[test]
fn the_help_of_a_command_tells_all_of_it() {
    for (command, part) in [
        ("company", "server company rollback acme"),
        ("company", "Exit status: 0 done"),
        ("migrate", "CREATE ROLE offhook_owner LOGIN"),
        ("calls", "Exit status: 0 done"),
        ("audit verify", "Ends with 0 if nothing is wrong"),
    ] {
        let words: Vec<_> = command.split(' ').chain(["--help"]).collect();
        let help = String::from_utf8(server(&words, &[]).stdout).unwrap();
        assert!(help.contains(part), "{command}: {help}");
    }
}

#[test]
fn the_help_and_the_example_tell_of_every_variable_and_of_no_value() {
    let help = server(&["--help"], &[("TWILIO_AUTH_TOKEN", "s3cret")]);
    // Without the line breaks, which depend on the width.
    let help =
        String::from_utf8(help.stdout).unwrap().split_whitespace().collect::<Vec<_>>().join(" ");
    let example = fs::read_to_string(root().join(".env.example")).unwrap();
    for variable in REQUIRED.iter().chain(&OPTIONAL).chain(&FREE) {
        assert!(help.contains(&format!("[env: {variable}]")), "{variable}: {help}");
        assert!(example.contains(&format!("\n{variable}=")), "{variable} is not in .env.example");
    }
    assert!(!help.contains("s3cret"));
    let told = example.lines().filter(|line| !line.starts_with('#') && line.contains('='));
    assert_eq!(told.count(), REQUIRED.len() + OPTIONAL.len() + FREE.len());
}

fn check(variables: &[(&str, String)]) -> Output {
    let variables: Vec<_> = variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
    server(&["check"], &variables)
}

fn server(arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_server"));
    command.args(arguments).env_clear().envs(variables.iter().copied()).output().unwrap()
}

fn sound() -> Vec<(&'static str, String)> {
    let company = acme().display().to_string();
    let values = [
        "https://voice.example.com",
        "AC00000000000000000000000000000001",
        "s3cret-1,s3cret-2",
        "s3cret-3",
        "https://middleware.example.com",
        "s3cret-4",
        &company,
    ];
    REQUIRED.into_iter().chain(["COMPANY_FILE"]).zip(values.map(str::to_owned)).collect()
}

fn acme() -> PathBuf {
    root().join("scenarios/companies/acme.toml")
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}
