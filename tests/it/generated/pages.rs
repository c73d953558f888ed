//! Pages of the book that say what the program, the chart, the examples and the runbooks say themselves.

use std::fmt::Write;
use std::path::Path;

use clap::{Arg, Command};

use super::INTO_MEMORY;
use crate::workspace;

/// Every command with its options, as `--help` has them.
pub(super) fn command_line() -> (String, String) {
    let mut program = agentslo::cli::command().term_width(100);
    program.build();
    let mut text = String::from(
        "# The command line\n\n`agentslo`, and `kubectl agentslo` where the binary is called `kubectl-agentslo`. \
         Made from the program's own help by `make bless`; `agentslo COMMAND --help` prints the same.\n\n",
    );
    writeln!(text, "```text\n{}\n```", program.get_after_help().map(ToString::to_string).unwrap_or_default())
        .expect(INTO_MEMORY);
    describe_commands("agentslo", &mut program, &mut text);
    ("docs/reference/cli.md".to_owned(), text)
}

/// The commands below one, and those below them.
fn describe_commands(above: &str, command: &mut Command, text: &mut String) {
    for command in command.get_subcommands_mut() {
        if !command.is_hide_set() && command.get_name() != "help" {
            let name = format!("{above} {}", command.get_name());
            describe_command(&name, command, text);
            describe_commands(&name, command, text);
        }
    }
}

fn describe_command(name: &str, command: &mut Command, text: &mut String) {
    let usage = command.render_usage().to_string();
    let about = command.get_long_about().or(command.get_about()).map(ToString::to_string).unwrap_or_default();
    let usage = usage.trim_start_matches("Usage:").trim();
    write!(text, "\n## {name}\n\n{about}\n\n```text\n{usage}\n```\n").expect(INTO_MEMORY);
    let arguments: Vec<&Arg> = command.get_arguments().filter(|argument| is_worth_a_row(argument)).collect();
    if !arguments.is_empty() {
        text.push_str("\n| argument | default | what it does |\n| --- | --- | --- |\n");
        text.extend(arguments.into_iter().map(row));
    }
    if let Some(rest) = command.get_after_long_help().or(command.get_after_help()) {
        write!(text, "\n```text\n{rest}\n```\n").expect(INTO_MEMORY);
    }
}

/// Every command has `--help`.
fn is_worth_a_row(argument: &Arg) -> bool {
    !argument.is_hide_set() && argument.get_id() != "help"
}

fn row(argument: &Arg) -> String {
    let takes_a_value = argument.get_action().takes_values();
    let help = argument.get_long_help().or(argument.get_help()).map(ToString::to_string).unwrap_or_default();
    let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
    let values = argument.get_possible_values().into_iter();
    let values =
        values.filter(|value| takes_a_value && !value.is_hide_set()).map(|value| value.get_name().to_owned());
    let values: Vec<String> = values.collect();
    let one_of = if values.is_empty() { String::new() } else { format!(" One of {}.", listed(&values)) };
    let variable = argument.get_env().map(|name| format!(" Variable `{}`.", name.to_string_lossy()));
    let defaults = argument.get_default_values().iter().filter(|_| takes_a_value);
    let defaults: Vec<String> = defaults.map(|value| value.to_string_lossy().into_owned()).collect();
    let short = argument.get_short().map(|letter| format!("`-{letter}`, ")).unwrap_or_default();
    let cells = [
        format!("{short}`{argument}`"),
        listed(&defaults),
        format!("{}.{one_of}{}", help.trim_end_matches('.'), variable.unwrap_or_default()),
    ];
    format!("| {} |\n", cells.map(|cell| cell.replace('|', "\\|")).join(" | "))
}

fn listed(values: &[String]) -> String {
    values.iter().map(|value| format!("`{value}`")).collect::<Vec<_>>().join(", ")
}

/// Every scenario of `examples/`, as people write it.
pub(super) fn examples() -> (String, String) {
    let mut text = String::from(
        "# Examples\n\nEach is a folder of `examples/` in the repository, with what it is rendered to beside it; a \
         test holds them to each other. Made by `make bless`.\n",
    );
    let kinds = [
        ("agentslo.yaml", "Objectives", "An objective for each kind of indicator."),
        (
            "agentobservability.yaml",
            "Telemetry, guards, routes, dashboards",
            "What becomes of an agent's telemetry.",
        ),
    ];
    for (file, title, what) in kinds {
        write!(text, "\n## {title}\n\n{what}\n").expect(INTO_MEMORY);
        let files = workspace::files("examples").into_iter();
        for path in files.filter(|path| Path::new(path).file_name().is_some_and(|name| name == file)) {
            describe_example(&path, &mut text);
        }
    }
    ("docs/reference/examples.md".to_owned(), text)
}

fn describe_example(path: &str, text: &mut String) {
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let written = workspace::read(path);
    let (what, document) = opening_comment(&written);
    let name = folder.trim_start_matches("examples/");
    write!(text, "\n### {name}\n\n{what}\n\n```yaml\n{document}```\n").expect(INTO_MEMORY);
    let platform = format!("{folder}/platform.yaml");
    if workspace::path(&platform).exists() {
        let platform = workspace::read(platform);
        let document = opening_comment(&platform).1;
        write!(text, "\nUnder this AgentPlatform:\n\n```yaml\n{document}```\n").expect(INTO_MEMORY);
    }
}

/// The comment that a file begins with, on one line, and what follows it.
fn opening_comment(written: &str) -> (String, &str) {
    let lines = written.split_inclusive('\n');
    let length = lines.take_while(|line| line.starts_with('#')).map(str::len).sum();
    let (comment, rest) = written.split_at(length);
    let words = comment.lines().map(|line| line.trim_start_matches('#').trim());
    (words.collect::<Vec<_>>().join(" "), rest)
}

/// Every alert with what its runbook says that it means.
pub(super) fn runbooks() -> (String, String) {
    let pages = workspace::files("docs/guides/runbooks");
    let (of_operator, of_agents): (Vec<String>, Vec<String>) =
        pages.into_iter().partition(|page| page.contains("AgentSLOOperator"));
    let mut text = String::from(
        "# Runbooks\n\nA page for each alert: what it means, where to look first, what it mostly is, what to do, how \
         to silence it. Made from the pages by `make bless`; [on-call.md](on-call.md) is where to begin.\n",
    );
    for (title, pages) in [("About agents", of_agents), ("About the operator itself", of_operator)] {
        write!(text, "\n## {title}\n\n| alert | urgency | what it means |\n| --- | --- | --- |\n")
            .expect(INTO_MEMORY);
        text.extend(pages.iter().map(|page| row_of_runbook(page)));
    }
    ("docs/guides/runbooks.md".to_owned(), text)
}

fn row_of_runbook(page: &str) -> String {
    let written = workspace::read(page);
    let name = Path::new(page).file_stem().unwrap_or_default().to_string_lossy();
    let after = |mark: &str| written.split_once(mark).unwrap_or_else(|| panic!("{page} has no {mark}")).1;
    let urgency = after("\nUrgency: ").lines().next().unwrap_or_default().trim_end_matches('.');
    let meaning = after("\n## What it means\n\n").split("\n\n").next().unwrap_or_default().replace('\n', " ");
    let sentence = meaning.split_once(". ").map_or(meaning.as_str(), |(first, _)| first);
    let sentence = sentence.trim_end_matches('.').replace('|', "\\|");
    format!("| [{name}](runbooks/{name}.md) | {urgency} | {sentence} |\n")
}
