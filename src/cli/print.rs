//! What is printed: streams of objects in YAML or JSON, and text that cannot move the cursor.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::ValueEnum;
use serde::Serialize;

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
    let mut out = io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
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

/// The text with control characters, and those that reorder or hide text, as escapes: what a user wrote
/// must not move the cursor or look like something else.
pub(super) fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' => {
                safe.extend(character.escape_unicode());
            }
            character if character.is_control() => safe.extend(character.escape_default()),
            character => safe.push(character),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn text_cannot_move_the_cursor() {
        assert_eq!(escaped("a\x1b[31m\n\u{202e}b\u{85}é"), "a\\u{1b}[31m\\n\\u{202e}b\\u{85}é");
    }
}
