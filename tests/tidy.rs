//! The checks that keep the house tidy: which package may depend on which, what the core is made
//! of, how long a file may be. Rules that a machine checks need nobody to remember them.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails, in its helpers too")]

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

/// Who lives here, and whom each may depend on. All arrows point at `call-core`. A new arrow is a
/// decision about the architecture, not a detail: talk about it first, then draw it here.
const HOUSE: [Package; 9] = [
    Package { name: "call-core", ours: &[], demo: &[], others: Others::Only(&["serde", "statig"]) },
    Package {
        name: "call-transports",
        ours: &["call-core"],
        demo: &[],
        others: Others::OptionalOnly(NETWORK),
    },
    Package {
        name: "locales",
        ours: &[],
        demo: &[],
        others: Others::Only(&["fluent-bundle", "unic-langid"]),
    },
    Package {
        name: "sim",
        ours: &["call-core", "call-transports", "locales"],
        demo: &[],
        others: Others::Never(NETWORK),
    },
    Package {
        name: "standin",
        ours: &["sim", "call-transports", "call-core"],
        demo: &[],
        others: Others::Never(&[]),
    },
    Package {
        name: "server",
        ours: &["call-core", "call-transports", "locales"],
        demo: &["standin", "sim"],
        others: Others::Never(&[]),
    },
    Package { name: "e2e", ours: ANY, demo: &[], others: Others::Never(&[]) },
    Package { name: "benches", ours: ANY, demo: &[], others: Others::Never(&[]) },
    Package { name: "xtask", ours: ANY, demo: &[], others: Others::Never(&[]) },
];

/// Libraries that open sockets, or run what does.
const NETWORK: &[&str] = &[
    "tokio",
    "tokio-util",
    "tokio-tungstenite",
    "tungstenite",
    "rustls",
    "reqwest",
    "axum",
    "sqlx",
];

/// Libraries that belong to some packages and to no other.
const RESERVED: [(&str, &[&str]); 2] = [("sqlx", &["server"]), ("axum", &["server", "standin"])];

/// A row of the table above. Only what is built into a package counts, not what its tests use.
struct Package {
    name: &'static str,
    /// Our own packages that it may depend on.
    ours: &'static [&'static str],
    /// Our own packages that it may depend on in its feature `demo`, and only there.
    demo: &'static [&'static str],
    /// What holds for libraries that are not ours.
    others: Others,
}

enum Others {
    /// These and no more.
    Only(&'static [&'static str]),
    /// Anything, but these only as optional dependencies.
    OptionalOnly(&'static [&'static str]),
    /// Anything but these.
    Never(&'static [&'static str]),
}

const ANY: &[&str] = &[
    "call-core",
    "call-transports",
    "locales",
    "sim",
    "standin",
    "server",
    "e2e",
    "benches",
    "xtask",
];

const TABLE: &str = "the table HOUSE in tests/tidy.rs";

#[test]
fn every_package_of_the_workspace_stands_in_the_table() {
    let here: BTreeSet<_> = workspace().into_keys().collect();
    let listed: BTreeSet<_> = HOUSE.iter().map(|package| package.name.to_owned()).collect();
    assert_eq!(here, listed, "the workspace (left) and {TABLE} (right) differ");
}

#[test]
fn our_packages_depend_on_each_other_only_along_the_arrows() {
    let workspace = workspace();
    let mut wrong = vec![];
    for package in &HOUSE {
        for edge in edges(&workspace[package.name]).filter(|edge| workspace.contains_key(edge.to)) {
            let allowed = package.ours.contains(&edge.to);
            let in_demo = package.demo.contains(&edge.to) && edge.optional;
            if !allowed && !in_demo {
                wrong.push(format!("{} -> {}", package.name, edge.to));
            }
        }
    }
    assert_eq!(wrong, [""; 0], "no such arrow is in {TABLE}");
}

#[test]
fn what_is_for_the_demo_is_built_only_into_the_demo() {
    let workspace = workspace();
    for package in &HOUSE {
        for (feature, members) in workspace[package.name]["features"].as_object().unwrap() {
            let members: Vec<_> = strings(members).into_iter().map(library).collect();
            for demo in package.demo {
                let pulled = members.contains(demo);
                assert!(
                    !pulled || feature == "demo",
                    "the feature {feature} of {} pulls in {demo}; by {TABLE} only `demo` may",
                    package.name
                );
            }
        }
    }
}

/// Features that somebody must ask for by name, and the packages that have them: deliberate defects,
/// and a server that can keep nothing of its calls.
const ASKED_FOR: [(&str, &[&str]); 2] =
    [("sabotage", &["call-core", "call-transports", "sim"]), ("unrecorded", &["server"])];

/// Nobody can ask for defects of the server, which does not even compile with them
/// (`CAN_BE_SABOTAGED`).
#[test]
fn no_package_brings_along_what_must_be_asked_for() {
    for (wanted, packages) in ASKED_FOR {
        for (name, package) in workspace() {
            for (feature, members) in package["features"].as_object().unwrap() {
                let members = strings(members);
                let passes_on = members.iter().any(|member| member.ends_with(wanted));
                let may = feature == wanted && packages.contains(&name.as_str());
                assert!(may || !passes_on, "the feature {feature} of {name} brings {wanted} along");
                assert!(may || feature != wanted, "{name} is not to have the feature {wanted}");
            }
            // Those for tests count, too: a workspace is built with the features of all its members.
            for dependency in package["dependencies"].as_array().unwrap() {
                let asks = strings(&dependency["features"]).contains(&wanted);
                assert!(!asks, "{name} takes {} with {wanted}", dependency["name"]);
            }
        }
    }
}

/// The library that a member of a feature means: `dep:sim`, `sim/net` and `sim?/net` mean sim.
fn library(member: &str) -> &str {
    member.trim_start_matches("dep:").split(['/', '?']).next().unwrap()
}

#[test]
fn no_package_uses_a_library_that_it_should_not_know() {
    let workspace = workspace();
    let mut wrong = vec![];
    for package in &HOUSE {
        for edge in edges(&workspace[package.name]).filter(|edge| !workspace.contains_key(edge.to))
        {
            let fits = match &package.others {
                Others::Only(names) => names.contains(&edge.to),
                Others::OptionalOnly(names) => edge.optional || !names.contains(&edge.to),
                Others::Never(names) => !names.contains(&edge.to),
            };
            let reserved = RESERVED.iter().find(|(library, _)| *library == edge.to);
            if !fits || reserved.is_some_and(|(_, owners)| !owners.contains(&package.name)) {
                wrong.push(format!("{} -> {}", package.name, edge.to));
            }
        }
    }
    assert_eq!(wrong, [""; 0], "{TABLE} (or RESERVED below it) speaks against it");
}

#[test]
fn the_core_takes_its_libraries_bare() {
    for edge in edges(&workspace()["call-core"]) {
        assert!(
            !edge.default_features,
            "call-core -> {}: switch its default features off, so that no std comes in",
            edge.to
        );
    }
}

#[test]
fn the_simulator_takes_the_codecs_without_their_sockets() {
    let workspace = workspace();
    let default = &workspace["call-transports"]["features"]["default"];
    for edge in edges(&workspace["sim"]).filter(|edge| edge.to == "call-transports") {
        assert!(!edge.features.contains(&"net"), "sim -> call-transports: not with `net`");
        assert!(!edge.default_features || default.is_null(), "sim -> call-transports: bare");
    }
}

#[test]
fn the_core_is_no_std() {
    let lib = fs::read_to_string(root().join("core/src/lib.rs")).unwrap();
    assert!(
        lib.lines().any(|line| line == "#![no_std]"),
        "core/src/lib.rs has lost its `#![no_std]`: with std, clocks and sockets would come in"
    );
}

#[test]
fn no_source_file_is_longer_than_800_lines() {
    let mut long = vec![];
    for file in files_of_git(&["--cached", "--others", "--exclude-standard"]) {
        let Ok(text) = fs::read_to_string(root().join(&file)) else { continue };
        let lines = text.lines().count();
        if file.ends_with(".rs") && lines > LINES_MAX {
            long.push(format!("{file}: {lines} lines"));
        }
    }
    assert_eq!(long, [""; 0], "400 lines are wished and {LINES_MAX} allowed: divide by meaning");
}

const LINES_MAX: usize = 800;

#[test]
fn every_test_of_the_whole_system_is_one_that_cargo_runs() {
    let workspace = workspace();
    let targets = workspace["e2e"]["targets"].as_array().unwrap();
    let run: BTreeSet<_> = targets
        .iter()
        .filter(|target| strings(&target["kind"]).contains(&"test"))
        .map(|target| PathBuf::from(target["src_path"].as_str().unwrap()))
        .collect();
    for file in files_in("tests", "rs").into_iter().filter(|file| !file.ends_with("support.rs")) {
        assert!(
            run.contains(&file),
            "{} is no [[test]] in tests/Cargo.toml, so nobody runs it",
            file.display()
        );
    }
}

#[test]
fn no_file_speaks_of_the_machine_on_which_it_was_written() {
    // In pieces, because this file is looked through as well.
    let folders =
        [["/wo", "rk/"], ["/ho", "me/"], ["/ro", "ot/"], ["/Use", "rs/"]].map(|p| p.concat());
    let neighbour = ["../sha", "red"].concat();
    let mut found = vec![];
    for file in files_of_git(&[]) {
        let Ok(bytes) = fs::read(root().join(&file)) else { continue };
        let text = String::from_utf8_lossy(&bytes);
        for (number, line) in text.lines().enumerate() {
            if line.contains(&neighbour) || folders.iter().any(|path| has_path(line, path)) {
                found.push(format!("{file}:{}", number + 1));
            }
        }
    }
    assert_eq!(found, [""; 0], "these lines name a folder that no other machine has");
}

/// Whether a line has an absolute path that starts so; `docs/home/` is none.
fn has_path(line: &str, path: &str) -> bool {
    line.match_indices(path).any(|(at, _)| {
        !line[..at].ends_with(|before: char| before.is_alphanumeric() || "._-/~}".contains(before))
    })
}

#[test]
fn every_scenario_has_its_story_beside_it() {
    for scenario in sim::scenario::files_in(&root().join("scenarios")).unwrap() {
        assert!(
            scenario.with_extension("story.snap").exists(),
            "{} has no story: `INSTA_UPDATE=always cargo test -p sim` writes it; read it before \
             you commit it",
            scenario.display()
        );
    }
}

#[test]
fn the_picture_in_architecture_is_the_statechart() {
    let text = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let (_, after) = text.split_once("<!-- statechart -->").expect("the picture has its mark");
    let (_, block) = after.split_once("```text\n").expect("a fenced block follows the mark");
    let (picture, _) = block.split_once("```").expect("the fenced block has an end");
    assert_eq!(
        picture,
        call_core::call::chart(),
        "ARCHITECTURE.md (left) shows another statechart than the code (right)"
    );
}

#[test]
fn every_link_to_a_file_of_ours_leads_somewhere() {
    let mut broken = vec![];
    for file in files_of_git(&["--cached", "--others", "--exclude-standard"]) {
        let Ok(text) = fs::read_to_string(root().join(&file)) else { continue };
        if !file.ends_with(".md") {
            continue;
        }
        let folder = root().join(&file).parent().unwrap().to_path_buf();
        for (number, line) in text.lines().enumerate() {
            for target in links(line).filter(|target| !folder.join(target).exists()) {
                broken.push(format!("{file}:{}: {target}", number + 1));
            }
        }
    }
    assert_eq!(broken, [""; 0], "these links lead nowhere");
}

/// The files that a line of Markdown links to; what lies on the web is somebody else's.
fn links(line: &str) -> impl Iterator<Item = &str> {
    let targets = line.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    let files = targets.map(|target| target.split('#').next().unwrap());
    files.filter(|file| !file.is_empty() && !file.contains("://"))
}

#[test]
fn every_limit_of_a_call_and_every_misdeed_of_the_cast_is_in_the_documentation() {
    let limits = serde_json::to_value(call_core::Limits::default()).unwrap();
    let text = fs::read_to_string(root().join("docs/limits.md")).unwrap();
    for field in limits.as_object().unwrap().keys() {
        assert!(text.contains(&format!("| `{field}` |")), "docs/limits.md has no row for {field}");
    }
    let code = fs::read_to_string(root().join("sim/src/faults.rs")).unwrap();
    let text = fs::read_to_string(root().join("docs/scenarios.md")).unwrap();
    let (_, after) = code.split_once("pub enum Fault {\n").unwrap();
    let (variants, _) = after.split_once("\n}").unwrap();
    let indented = variants.lines().filter_map(|line| line.strip_prefix("    "));
    let names = indented.filter(|line| line.starts_with(|c: char| c.is_ascii_uppercase()));
    let names: Vec<_> = names.map(|line| line.trim_end_matches([' ', '{', ','])).collect();
    assert!(names.len() >= 20, "the misdeeds are found: {names:?}");
    for name in names {
        let told = [format!("| `{name}("), format!("| `{name}`")];
        let told = told.iter().any(|row| text.contains(row));
        assert!(told, "docs/scenarios.md has no row for {name}");
    }
}

/// A dependency that is built into a package.
struct Edge<'a> {
    to: &'a str,
    optional: bool,
    default_features: bool,
    features: Vec<&'a str>,
}

fn edges(package: &Value) -> impl Iterator<Item = Edge<'_>> {
    let dependencies = package["dependencies"].as_array().unwrap().iter();
    dependencies.filter(|dependency| dependency["kind"].is_null()).map(|dependency| Edge {
        to: dependency["name"].as_str().unwrap(),
        optional: dependency["optional"].as_bool().unwrap(),
        default_features: dependency["uses_default_features"].as_bool().unwrap(),
        features: strings(&dependency["features"]),
    })
}

fn strings(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|item| item.as_str().unwrap()).collect()
}

/// What cargo knows about each of our packages, by name.
fn workspace() -> BTreeMap<String, Value> {
    let output = run(env!("CARGO"), &["metadata", "--format-version", "1", "--no-deps"]);
    let mut metadata: Value = serde_json::from_str(&output).unwrap();
    let Value::Array(packages) = metadata["packages"].take() else { panic!("no packages") };
    let named = |package: Value| (package["name"].as_str().unwrap().to_owned(), package);
    packages.into_iter().map(named).collect()
}

fn files_of_git(which: &[&str]) -> Vec<String> {
    let output = run("git", &[&["ls-files", "-z"], which].concat());
    output.split_terminator('\0').map(str::to_owned).collect()
}

/// The files directly in a folder; with an empty extension, all of them.
fn files_in(folder: &str, extension: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(root().join(folder)).unwrap();
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| extension.is_empty() || file.extension().is_some_and(|e| e == extension));
    files.sort();
    files
}

fn run(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).current_dir(root()).output();
    let output = output.unwrap_or_else(|error| panic!("{program} did not start: {error}"));
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {arguments:?}: {complaint}");
    String::from_utf8(output.stdout).unwrap()
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}
