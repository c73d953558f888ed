//! Text as a terminal shows it: escaped, measured, cut.

use k8s_openapi::jiff::Timestamp;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// The text with control characters, and those that reorder or hide text, as escapes: what a user wrote
/// must not move the cursor or look like something else.
#[must_use]
pub fn escaped(text: &str) -> String {
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

/// Columns that the text takes on a terminal.
#[must_use]
pub fn columns(text: &str) -> usize {
    text.width()
}

/// The text, cut to so many columns; what is cut ends in an ellipsis.
#[must_use]
pub fn cut(text: &str, most: usize) -> String {
    if columns(text) <= most {
        return text.to_owned();
    }
    let mut kept = String::new();
    let mut left = most.saturating_sub(1);
    for character in text.chars() {
        let Some(rest) = left.checked_sub(character.width().unwrap_or_default()) else { break };
        left = rest;
        kept.push(character);
    }
    if most > 0 {
        kept.push('…');
    }
    kept
}

/// How long ago something was, as kubectl writes it: `45s`, `12m`, `5h`, `3d`.
#[must_use]
pub fn age(since: Option<Timestamp>, now: Timestamp) -> String {
    let Some(since) = since else { return "<unknown>".to_owned() };
    let seconds = now.duration_since(since).as_secs().max(0);
    match seconds {
        0..120 => format!("{seconds}s"),
        120..7200 => format!("{}m", seconds / 60),
        7200..172_800 => format!("{}h", seconds / 3600),
        _ => format!("{}d", seconds / 86_400),
    }
}

/// `1 rule`, `2 rules`.
#[must_use]
pub fn counted(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_cannot_move_the_cursor() {
        assert_eq!(escaped("a\x1b[31m\n\u{202e}b\u{85}é"), "a\\u{1b}[31m\\n\\u{202e}b\\u{85}é");
        // Escape, return, bell, backspace, delete, C1 controls; marks that reorder; what has no width.
        let corpus = "\x1b\r\x07\x08\x7f\u{9b}\u{200b}\u{200c}\u{200d}\u{200e}\u{200f}\u{2028}\u{2029}\u{202a}\
                      \u{202b}\u{202d}\u{202e}\u{2060}\u{2066}\u{2067}\u{2069}\u{feff}";
        for character in corpus.chars() {
            let safe = escaped(&character.to_string());
            assert!(safe.is_ascii() && safe.starts_with('\\'), "{safe:?}");
        }
    }

    #[test]
    fn text_is_cut_by_columns_not_by_characters() {
        let cases =
            [("support", 7, "support"), ("support", 4, "sup…"), ("支援支援", 5, "支援…"), ("ab", 0, "")];
        for (text, most, expected) in cases {
            assert_eq!(cut(text, most), expected, "{text} to {most}");
            assert!(columns(&cut(text, most)) <= most);
        }
    }

    #[test]
    fn age_is_written_as_kubectl_writes_it() {
        let now = Timestamp::from_second(1_000_000).expect("test data should be a time");
        let cases = [
            (0, "0s"),
            (119, "119s"),
            (120, "2m"),
            (7199, "119m"),
            (7200, "2h"),
            (172_800, "2d"),
            (-5, "0s"),
        ];
        for (seconds, expected) in cases {
            let since = Timestamp::from_second(1_000_000 - seconds).expect("test data should be a time");
            assert_eq!(age(Some(since), now), expected);
        }
    }
}
