//! What is printed: streams of objects in YAML or JSON, and text that cannot move the cursor.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::ValueEnum;
use serde::Serialize;

pub(super) use crate::inspect::text::escaped;

/// Notation of printed objects.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub(super) enum Format {
    /// One YAML document for each object.
    #[default]
    Yaml,
    /// One JSON object after the other.
    Json,
}

impl Format {
    /// One object as a part of a stream.
    pub(super) fn print(self, object: &impl Serialize) -> String {
        match self {
            Self::Yaml => format!("---\n{}", yaml(object)),
            Self::Json => {
                let json = serde_json::to_string_pretty(object);
                json.expect("Kubernetes objects should have only string keys") + "\n"
            }
        }
    }
}

/// YAML with every text on as many lines as it has itself.
fn yaml(object: &impl Serialize) -> String {
    let options = serde_saphyr::ser_options! { folded_wrap_chars: usize::MAX };
    serde_saphyr::to_string_with_options(object, options)
        .expect("Kubernetes objects should have only string keys")
}

/// Writes to standard output. A reader that went away, as `head` does, is not a failure.
pub(super) fn write_out(text: &str) {
    let _ = try_write_out(text);
}

/// Writes to standard output, and says whether anybody still reads.
pub(super) fn try_write_out(text: &str) -> bool {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).is_ok()
}

/// Exit code when the command, or a file that it names, cannot be used.
pub(super) const USAGE: u8 = 2;

/// Says why the command cannot be carried out.
pub(super) fn refuse(message: &str) -> ExitCode {
    write_note(&escaped(&format!("error: {message}")));
    ExitCode::from(USAGE)
}

/// Exit code when a server that the command needs does not answer.
pub(super) const UNREACHABLE: u8 = 3;

/// Says which server does not answer.
pub(super) fn unreachable(message: &str) -> ExitCode {
    write_note(&escaped(&format!("error: {message}")));
    ExitCode::from(UNREACHABLE)
}

/// Writes one line to standard error.
pub(super) fn write_note(line: &str) {
    let _ = writeln!(io::stderr().lock(), "{line}");
}
