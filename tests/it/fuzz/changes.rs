//! What becomes of text that was fine: cut, repeated, crossed with other text, sprinkled with what readers
//! stumble over.

use std::ops::Range;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

/// Words that begin, end or escape something somewhere.
const WORDS: [&str; 44] = [
    "&a ",
    "*a",
    "<<: *a",
    "!!binary ",
    "!!int ",
    "? ",
    "- ",
    "- - - - ",
    "---\n",
    "...\n",
    "%YAML 1.2\n",
    ": ",
    "\t",
    "|\n",
    ">-\n",
    "~",
    "null",
    "\"",
    "'",
    "\\",
    "\\x00",
    "\\uD800",
    "#",
    "{",
    "}",
    "[",
    "]",
    "(",
    ")",
    "{{",
    "}}",
    "$window",
    "0x7fffffffffffffff",
    "1e999",
    "-0",
    "NaN",
    "+Inf",
    "\u{0}",
    "\u{feff}",
    "\u{202e}",
    "\u{1f600}",
    "e\u{301}",
    "\u{2028}",
    "[5m:]",
];

/// Numbers that are more, less or less exact than whoever reads them expects.
const NUMBERS: [&str; 12] = [
    "0",
    "-1",
    "00",
    "0.1",
    "4294967296",
    "9223372036854775808",
    "9007199254740993",
    "99999999999999999999999999",
    "1e308",
    "1e-320",
    "NaN",
    "+Inf",
];

/// One change.
#[derive(Clone, Debug)]
enum Change {
    /// What is between two places goes.
    Cut(Index, Index),
    /// What is between two places comes again, so often.
    Repeat(Index, Index, usize),
    /// A word is put somewhere, so often.
    Put(Index, &'static str, usize),
    /// A byte becomes another.
    Set(Index, u8),
    /// A number becomes another.
    Number(Index, &'static str),
    /// A line is put in the place of another.
    Move(Index, Index),
}

/// Text of one of the seeds, with fewer changes than that.
pub(super) fn changed(seeds: Vec<Vec<u8>>, changes: usize) -> impl Strategy<Value = Vec<u8>> {
    assert!(!seeds.is_empty(), "there should be something to begin with");
    let change = prop_oneof![
        1 => (any::<Index>(), any::<Index>()).prop_map(|(from, to)| Change::Cut(from, to)),
        1 => (any::<Index>(), any::<Index>(), often()).prop_map(|(from, to, times)| Change::Repeat(from, to, times)),
        3 => (any::<Index>(), prop::sample::select(WORDS.to_vec()), often())
            .prop_map(|(at, word, times)| Change::Put(at, word, times)),
        2 => (any::<Index>(), prop::sample::select(NUMBERS.to_vec()))
            .prop_map(|(which, number)| Change::Number(which, number)),
        1 => (any::<Index>(), any::<u8>()).prop_map(|(at, byte)| Change::Set(at, byte)),
        2 => (any::<Index>(), any::<Index>()).prop_map(|(from, to)| Change::Move(from, to)),
    ];
    (prop::sample::select(seeds), vec(change, 0..changes))
        .prop_map(|(seed, changes)| changes.iter().fold(seed, |text, change| change.apply(text)))
}

/// Mostly once, and at times often enough to go deep.
fn often() -> impl Strategy<Value = usize> {
    prop_oneof![6 => Just(1_usize), 2 => 2_usize..20, 1 => 100_usize..2000]
}

/// Longest text that is made; what is larger is refused before it is read.
const LONGEST: usize = 256 * 1024;

impl Change {
    fn apply(&self, mut text: Vec<u8>) -> Vec<u8> {
        match self {
            Self::Cut(from, to) => {
                text.drain(between(&text, *from, *to));
            }
            Self::Repeat(from, to, times) => {
                let range = between(&text, *from, *to);
                let end = range.end;
                let most = (LONGEST / range.len().max(1)).max(1);
                let part = text[range].repeat((*times).min(most));
                text.splice(end..end, part);
            }
            Self::Put(at, word, times) => {
                let at = at.index(text.len() + 1);
                text.splice(at..at, word.repeat(*times).into_bytes());
            }
            Self::Set(at, byte) => {
                let length = text.len();
                if let Some(place) = text.get_mut(at.index(length.max(1))) {
                    *place = *byte;
                }
            }
            Self::Number(which, number) => {
                let numbers = numbers(&text);
                if !numbers.is_empty() {
                    text.splice(numbers[which.index(numbers.len())].clone(), number.bytes());
                }
            }
            Self::Move(from, to) => {
                let mut lines: Vec<&[u8]> = text.split_inclusive(|byte| *byte == b'\n').collect();
                if !lines.is_empty() {
                    let (from, to) = (from.index(lines.len()), to.index(lines.len()));
                    lines[to] = lines[from];
                    text = lines.concat();
                }
            }
        }
        text.truncate(LONGEST);
        text
    }
}

/// Where digits stand together.
fn numbers(text: &[u8]) -> Vec<Range<usize>> {
    let is_digit = |index: usize| text.get(index).is_some_and(u8::is_ascii_digit);
    let starts = (0..text.len()).filter(|index| is_digit(*index) && (*index == 0 || !is_digit(index - 1)));
    let end = |start: usize| (start..text.len()).find(|index| !is_digit(*index)).unwrap_or(text.len());
    starts.map(|start| start..end(start)).collect()
}

fn between(text: &[u8], one: Index, other: Index) -> Range<usize> {
    let (one, other) = (one.index(text.len() + 1), other.index(text.len() + 1));
    one.min(other)..one.max(other)
}
