//! Rules about what is built and published, and by what.

use crate::workspace;

/// Values of a key in the workflows, with their file.
fn values(key: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for file in workspace::files(".github/workflows") {
        let text = workspace::read(&file);
        let lines = text.lines().map(|line| line.trim_start_matches([' ', '-']));
        found
            .extend(lines.filter_map(|line| Some((file.clone(), line.strip_prefix(key)?.trim().to_owned()))));
    }
    assert!(found.len() > 4, "{key} should be found");
    found
}

fn is_digest(text: &str, length: usize) -> bool {
    text.len() == length && text.chars().all(|letter| letter.is_ascii_hexdigit())
}

#[test]
fn every_action_is_pinned_by_its_commit() {
    for (file, action) in values("uses:").into_iter().filter(|(_, action)| !action.starts_with("./")) {
        let (pinned, comment) = action.split_once(" # ").unwrap_or_default();
        let commit = pinned.split_once('@').unwrap_or_default().1;
        assert!(is_digest(commit, 40) && comment.starts_with('v'), "{file}: {action}");
    }
}

/// What only a workflow does, nobody can repeat.
#[test]
fn workflows_call_make_and_nothing_else() {
    let targets = workspace::read("Makefile");
    for (file, command) in values("run:") {
        let Some(make) = command.strip_prefix("make ") else {
            assert!(command.starts_with("cargo install --locked "), "{file}: {command}");
            continue;
        };
        let target = make.split(' ').next().unwrap_or_default();
        assert!(targets.contains(&format!("\n{target}: ")), "{file}: make has no {target}");
    }
}

#[test]
fn the_image_has_a_pinned_builder_one_toolchain_and_no_root() {
    let file = workspace::read("Dockerfile");
    let builder = file.lines().find_map(|line| line.strip_prefix("ARG BUILD_BASE="));
    let builder = builder.expect("it should say what it is built in");
    let digest = builder.split_once("@sha256:").unwrap_or_default().1;
    assert!(is_digest(digest, 64), "{builder}");
    let bases: Vec<&str> = file.lines().filter_map(|line| line.strip_prefix("FROM ")).collect();
    assert_eq!(bases, ["${BUILD_BASE} AS build", "scratch"], "what ships has nothing beside the program");
    let pinned = workspace::read("rust-toolchain.toml");
    let version = pinned.split('"').nth(1).expect("the toolchain should have a channel");
    assert!(builder.starts_with(&format!("rust:{version}-")), "{builder} is not {version}");
    assert!(file.contains(&format!("RUSTUP_TOOLCHAIN={version}\n")));
    let user = file.lines().rev().find_map(|line| line.strip_prefix("USER "));
    assert_eq!(user, Some("65532:65532"), "a number, for runAsNonRoot looks at nothing else");
    assert!(file.contains("tools/reproducibly cargo auditable build --locked --release"));
}

/// What the program has inside must be there where the image is built.
#[test]
fn the_image_is_built_from_all_that_the_program_includes() {
    let ignored = workspace::read(".dockerignore");
    let let_in: Vec<&str> = ignored.lines().filter_map(|line| line.strip_prefix('!')).collect();
    let mut included = 0;
    for file in workspace::files("src").into_iter().filter(|file| workspace::has_extension(file, "rs")) {
        let text = workspace::read(&file);
        for path in text.split("include_str!(\"").skip(1).filter_map(|rest| rest.split('"').next()) {
            let path = path.trim_start_matches("../");
            included += 1;
            let is_let_in = let_in.iter().any(|folder| path.starts_with(&format!("{folder}/")));
            assert!(is_let_in, "{file} includes {path}, which .dockerignore leaves out");
        }
    }
    assert!(included > 5, "only {included} files are included");
}

/// The allocator tells of its build, in C's form of a date. It is the first moment of all, so that two builds of a
/// commit do not differ by it.
#[test]
fn nothing_in_the_program_tells_when_it_was_built() {
    let program = std::fs::read(env!("CARGO_BIN_EXE_agentslo")).expect("the program should be there");
    let text = String::from_utf8_lossy(&program);
    assert!(text.contains("built on %s"), "the allocator should tell of its build");
    assert!(
        text.contains("Jan  1 1970"),
        "SOURCE_DATE_EPOCH of .cargo/config.toml should be in force; an older build: cargo clean -p libmimalloc-sys"
    );
}
