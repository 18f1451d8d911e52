//! `server company` as operators run it: what it says, what it changes, and its exit status.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails, in its helpers too")]

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;

const ACME: &str = include_str!("../../scenarios/companies/acme.toml");

/// A company's life: imported, activated, changed, gone back to.
#[test]
fn a_company_is_imported_activated_and_rolled_back() {
    let desk = Desk::new();
    let (first, second) = (desk.write("1.toml", ACME), desk.write("2.toml", &version(2)));
    let told = desk.says(&["validate", &first]);
    assert!(told.starts_with("Acme Home Loans (acme v1)\n  answers +15550100099\n"), "{told}");
    assert!(!desk.database().exists());
    assert_eq!(desk.says(&["import", &first]), "acme v1: imported\n");
    assert_eq!(desk.says(&["list"]), "acme  active none  imported v1\n");
    assert_eq!(desk.says(&["history", "acme"]), "No version of acme was ever active.\n");
    let told = desk.says(&["import", &first, &second]);
    assert_eq!(told, "acme v1: imported before, with the same content\nacme v2: imported\n");
    assert_eq!(desk.says(&["activate", "acme", "1"]), "acme v1: active now\n");
    assert_eq!(desk.says(&["activate", "acme"]), "acme v2: active now\n");
    assert_eq!(desk.says(&["activate", "acme"]), "acme v2: active already\n");
    assert_eq!(desk.says(&["rollback", "acme", "--by", "night shift"]), "acme v1: active now\n");
    assert_eq!(desk.says(&["list"]), "acme  active v1  imported v1, v2\n");
    assert_eq!(desk.says(&["show", "acme"]), ACME);
    assert_eq!(desk.says(&["show", "acme", "--version", "2"]), version(2));
    let functions = desk.says(&["show", "acme", "--functions"]);
    let lookup = functions.lines().find(|line| line.starts_with("lookup_loan "));
    assert!(lookup.unwrap().contains("read ") && functions.contains("8000 ms"), "{functions}");
    let history = desk.says(&["history", "acme"]);
    let told: Vec<_> = history.lines().map(|line| line.split_once("Z  ").unwrap().1).collect();
    let expected =
        ["v1  rollback  by night shift", "v2  activate  by tester", "v1  activate  by tester"];
    assert_eq!(told, expected);
}

/// A company is off the line until somebody brings it back.
#[test]
fn a_company_is_deactivated_and_brought_back() {
    let desk = Desk::new();
    let files = [desk.write("1.toml", ACME), desk.write("2.toml", &version(2))];
    desk.says(&["import", &files[0], &files[1]]);
    assert_eq!(desk.says(&["deactivate", "acme"]), "acme: not active\n");
    desk.says(&["activate", "acme", "1"]);
    assert_eq!(desk.says(&["deactivate", "acme", "--by", "night"]), "acme v1: active no more\n");
    let list = desk.says(&["list"]);
    assert!(list.starts_with("acme  active none, deactivated 20"), "{list}");
    assert!(list.ends_with("Z by night  imported v1, v2\n"), "{list}");
    assert_eq!(desk.says(&["rollback", "acme"]), "acme v1: active now\n");
    assert_eq!(desk.says(&["list"]), "acme  active v1  imported v1, v2\n");
    let history = desk.says(&["history", "acme"]);
    assert!(history.lines().nth(1).unwrap().ends_with("  v1  deactivate  by night"), "{history}");
    let (told, status) = desk.refuses(&["deactivate", "nobody"]);
    assert_eq!(status, 3, "{told}");
}

/// Refusals name what to do, and nothing is changed.
#[test]
fn what_cannot_be_is_refused_with_a_status_of_its_own() {
    let desk = Desk::new();
    let file = desk.write("1.toml", ACME);
    desk.says(&["import", &file]);
    let changed = desk.write("1.toml", &ACME.replacen("Acme Home Loans", "Acme", 1));
    let twin = desk.write("twin.toml", &ACME.replacen("\"acme\"", "\"twin\"", 1));
    let (told, status) = desk.refuses(&["import", &twin, &changed]);
    assert_eq!(status, 3);
    assert!(told.contains("acme v1 was imported before with other content"), "{told}");
    assert!(told.contains("raise `version` in the file"), "{told}");
    assert_eq!(desk.says(&["list"]), "acme  active none  imported v1\n", "twin was not kept");
    desk.says(&["import", &twin]);
    desk.says(&["activate", "acme"]);
    for (arguments, expected) in [
        (&["activate", "twin"][..], "+15550100099 is a number of the active version of `acme`"),
        (&["activate", "acme", "7"], "acme v7 was not imported; there is v1"),
        (&["show", "acme", "--version", "7"], "acme v7 was not imported; there is v1"),
        (&["rollback", "acme"], "no other version of `acme` was active before"),
        (&["rollback", "nobody"], "no company `nobody` was imported"),
        (&["activate", "nobody"], "no company `nobody` was imported"),
        (&["history", "nobody"], "no company `nobody` was imported"),
    ] {
        let (told, status) = desk.refuses(arguments);
        assert_eq!(status, 3, "{told}");
        assert!(told.contains(expected), "{told}");
    }
    assert_eq!(desk.refuses(&["activate", "acme", "one"]).1, 2);
    for command in ["activate", "show", "history", "rollback", "deactivate"] {
        assert_eq!(desk.refuses(&[command, "*"]).1, 2, "{command}: all of them are no company");
    }
    assert_eq!(desk.refuses(&["import"]).1, 2);
    assert_eq!(
        desk.says(&["list"]),
        "acme  active v1  imported v1\ntwin  active none  imported v1\n"
    );
}

/// F-PR-15: ten mistakes in one file are ten lines, each with its place, and a sound file beside it is
/// not imported either.
#[test]
fn ten_mistakes_in_one_file_are_told_at_once_and_nothing_is_imported_f_pr_15() {
    let desk = Desk::new();
    let sound = desk.write("sound.toml", ACME);
    let mut text = ACME.to_owned() + "\n[limits]\nreply = 10\nfarewel = 1000\n";
    for (right, wrong) in [
        ("id = \"acme\"", "id = \"Acme!\""),
        ("name = \"Acme Home Loans\"", "name = \" \""),
        ("version = 1", "version = \"one\""),
        ("\"+15550100099\"", "\"5550100099\""),
        ("recording = \"off\"", "recording = \"sometimes\""),
        ("\"lookup_loan\"", "\"look_up_loan\""),
        ("voice = \"aura-2-thalia-en\"", "voice = 7"),
        ("think_model = \"gpt-4.1-mini\"", "think_model = \"\""),
    ] {
        assert!(text.contains(right), "{right}");
        text = text.replacen(right, wrong, 1);
    }
    let faulty = desk.write("faulty.toml", &text);
    for command in ["validate", "import"] {
        let (told, status) = desk.refuses(&[command, &sound, &faulty]);
        assert_eq!(status, 2, "{told}");
        let fields: Vec<_> = told
            .lines()
            .map(|line| {
                let mut parts = line.strip_prefix(&*faulty).unwrap().splitn(5, ':').skip(1);
                assert!(
                    parts.by_ref().take(2).all(|place| place.parse::<usize>().is_ok()),
                    "{line}"
                );
                parts.next().unwrap().trim().to_owned()
            })
            .collect();
        let expected = [
            "id",
            "name",
            "version",
            "numbers",
            "recording",
            "functions",
            "agents.en.voice",
            "agents.en.think_model",
            "limits.reply",
            "limits.farewel",
        ];
        assert_eq!(fields, expected, "{told}");
    }
    assert!(!desk.database().exists(), "nothing was imported");
    assert_eq!(desk.refuses(&["validate", "nowhere.toml"]).1, 2);
}

/// Whoever asks in the wrong folder is told so, and not that there is no company.
#[test]
fn only_an_import_makes_a_database() {
    let desk = Desk::new();
    for arguments in [
        &["list"][..],
        &["show", "acme"],
        &["history", "acme"],
        &["activate", "acme"],
        &["rollback", "acme"],
        &["deactivate", "acme"],
    ] {
        let (told, status) = desk.refuses(arguments);
        assert_eq!(status, 1, "{arguments:?}: {told}");
        assert!(told.contains("DATABASE_URL"), "{told}");
        assert!(!desk.database().exists(), "{arguments:?}");
    }
}

#[test]
fn a_database_that_cannot_be_used_is_told_without_its_address() {
    let desk = Desk::new();
    for url in ["sqlite:///nowhere/at/all.db", "postgres://me:s3cret@127.0.0.1:1/x", "mysql://x"] {
        let mut command = desk.command(&["list"]);
        let output = command.env("DATABASE_URL", url).output().unwrap();
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{told}");
        assert!(told.contains("DATABASE_URL") && !told.contains("s3cret"), "{told}");
    }
}

/// A folder with files and a database.
struct Desk(TempDir);

impl Desk {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn write(&self, name: &str, text: &str) -> String {
        let file: PathBuf = self.0.path().join(name);
        fs::write(&file, text).unwrap();
        file.display().to_string()
    }

    fn database(&self) -> PathBuf {
        self.0.path().join("calls.db")
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let url = format!("sqlite://{}", self.database().display());
        let mut command = Command::new(env!("CARGO_BIN_EXE_server"));
        command.arg("company").args(arguments).env_clear();
        command.env("DATABASE_URL", url).env("USER", "tester");
        command
    }

    fn says(&self, arguments: &[&str]) -> String {
        let output = self.command(arguments).output().unwrap();
        let complaint = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {complaint}");
        String::from_utf8(output.stdout).unwrap()
    }

    fn refuses(&self, arguments: &[&str]) -> (String, i32) {
        let output = self.command(arguments).output().unwrap();
        assert!(output.stdout.is_empty(), "{arguments:?}");
        (String::from_utf8(output.stderr).unwrap(), output.status.code().unwrap())
    }
}

fn version(version: u32) -> String {
    ACME.replacen("version = 1", &format!("version = {version}"), 1)
}
