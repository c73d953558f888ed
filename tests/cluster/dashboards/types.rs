//! Dashboards as Grafana's own types have them: `tsc` checks each against `@grafana/schema`, whose version
//! `tests/grafana/package-lock.json` pins.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

use super::{all, read};

const FILES: [&str; 4] = ["package.json", "package-lock.json", "tsconfig.json", "plain.ts"];

#[test]
fn dashboards_have_the_types_of_grafana() {
    let folder = installed();
    let boards = folder.join("boards");
    let _ = std::fs::remove_dir_all(&boards);
    std::fs::create_dir_all(&boards).expect("a folder should be made");
    for (number, dashboard) in all().iter().enumerate() {
        std::fs::write(boards.join(format!("board{number}.ts")), typescript(dashboard))
            .expect("it should be written");
    }
    let output = compile(&folder);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "Grafana's types do not allow:\n{said}");
}

#[test]
fn the_types_of_grafana_refuse_what_is_misplaced() {
    let folder = installed().join("misplaced");
    std::fs::create_dir_all(folder.join("boards")).expect("a folder should be made");
    for file in ["tsconfig.json", "plain.ts"] {
        std::fs::write(folder.join(file), read(&format!("tests/grafana/{file}")))
            .expect("it should be written");
    }
    let mut dashboard = all().remove(0);
    let stat = dashboard["panels"].as_array_mut().expect("there should be panels").iter_mut();
    let stat = stat.into_iter().find(|panel| panel["type"] == "stat").expect("there should be a stat");
    stat["options"]["thresholds"] = stat["fieldConfig"]["defaults"]["thresholds"].clone();
    std::fs::write(folder.join("boards/board0.ts"), typescript(&dashboard)).expect("it should be written");
    let output = compile(&folder);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(!output.status.success() && said.contains("\"thresholds\"' does not exist in type"), "{said}");
}

/// A module with the dashboard as a literal of Grafana's type, and what is special to each panel as one of
/// its kind's: a literal may have no property that the type lacks.
fn typescript(dashboard: &Value) -> String {
    let mut text = String::from("import type { Board, Fields, Options } from '../plain.ts';\n\n");
    writeln!(text, "export const board: Board = {dashboard};\n").expect("text should grow");
    for panel in dashboard["panels"].as_array().expect("dashboards should have panels") {
        let (id, kind) = (&panel["id"], &panel["type"]);
        let (options, custom) = (&panel["options"], &panel["fieldConfig"]["defaults"]["custom"]);
        if options.is_object() {
            writeln!(text, "export const options{id}: Options[{kind}] = {options};")
                .expect("text should grow");
        }
        if custom.is_object() {
            writeln!(text, "export const custom{id}: Fields[{kind}] = {custom};").expect("text should grow");
        }
    }
    text
}

/// The folder with what the lock file pins, installed once.
fn installed() -> PathBuf {
    static INSTALLED: std::sync::OnceLock<PathBuf> = std::sync::OnceLock::new();
    INSTALLED.get_or_init(install).clone()
}

fn install() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("grafana");
    let lock = read("tests/grafana/package-lock.json");
    let marker = folder.join("installed");
    std::fs::create_dir_all(&folder).expect("a folder should be made");
    for file in FILES {
        std::fs::write(folder.join(file), read(&format!("tests/grafana/{file}")))
            .expect("it should be written");
    }
    if std::fs::read_to_string(&marker).is_ok_and(|installed| installed == lock) {
        return folder;
    }
    let mut npm = Command::new(program("npm"));
    npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]).current_dir(&folder);
    let output = npm.output().expect("npm should start");
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.success(), "npm could not install @grafana/schema:\n{said}");
    std::fs::write(&marker, lock).expect("it should be written");
    folder
}

fn compile(folder: &Path) -> Output {
    let compiler = installed().join("node_modules/typescript/bin/tsc");
    let mut node = Command::new(program("node"));
    node.arg(compiler).args(["--project", "tsconfig.json"]).current_dir(folder);
    node.output().expect("node should start")
}

fn program(name: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file());
    found.unwrap_or_else(|| {
        panic!("{name} is not in PATH; install Node.js 20 or later: Grafana's types are TypeScript")
    })
}
