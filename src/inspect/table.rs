//! Tables of a terminal: columns as wide as their widest cell, tones only where they are wanted. A tone
//! never says what the words do not.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};

use super::text::{columns, cut, escaped};

/// Blanks between two columns, as kubectl has them.
const GAP: usize = 3;

/// What a word means to the reader, beside what it says.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Tone {
    /// Nothing besides.
    #[default]
    Plain,
    /// All is well.
    Good,
    /// Somebody should look at it.
    Warning,
    /// Somebody must do something.
    Bad,
    /// Not known, or not important.
    Faint,
    /// A title.
    Strong,
}

/// Whether tones are shown.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Paint {
    /// As colours of the terminal.
    Colour,
    /// Not at all.
    Bare,
}

impl Paint {
    /// Text in its tone; the text must be escaped.
    #[must_use]
    pub fn tinted(self, text: &str, tone: Tone) -> String {
        let style = match tone {
            Tone::Plain => return text.to_owned(),
            Tone::Good => AnsiColor::Green.on_default(),
            Tone::Warning => AnsiColor::Yellow.on_default(),
            Tone::Bad => AnsiColor::Red.on_default().bold(),
            Tone::Faint => Style::new().dimmed(),
            Tone::Strong => Style::new().bold(),
        };
        match self {
            Self::Bare => text.to_owned(),
            Self::Colour => format!("{style}{text}{style:#}"),
        }
    }
}

/// One cell.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Cell {
    text: String,
    tone: Tone,
}

impl Cell {
    /// A text in its tone; whatever could move the cursor is escaped.
    #[must_use]
    pub fn new(text: &str, tone: Tone) -> Self {
        Self { text: escaped(text), tone }
    }

    /// A text that may be missing.
    #[must_use]
    pub fn of(text: Option<&str>) -> Self {
        match text {
            Some(text) if !text.is_empty() => Self::new(text, Tone::Plain),
            _ => Self::new("-", Tone::Faint),
        }
    }
}

/// Rows of cells under titles.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Table {
    titles: Vec<&'static str>,
    rows: Vec<Vec<Cell>>,
}

impl Table {
    /// An empty table.
    #[must_use]
    pub fn new(titles: Vec<&'static str>) -> Self {
        Self { titles, rows: Vec::new() }
    }

    /// Adds a row, with a cell for each title.
    pub fn push(&mut self, row: Vec<Cell>) {
        self.rows.push(row);
    }

    /// The lines, titles first, each cut to so many columns where somebody says how many there are.
    #[must_use]
    pub fn lines(&self, paint: Paint, most: Option<usize>) -> Vec<String> {
        let titles = self.titles.iter().map(|title| Cell::new(title, Tone::Strong)).collect();
        let rows: Vec<&Vec<Cell>> = std::iter::once(&titles).chain(&self.rows).collect();
        let widths: Vec<usize> = (0..self.titles.len())
            .map(|index| {
                rows.iter().filter_map(|row| Some(columns(&row.get(index)?.text))).max().unwrap_or(0)
            })
            .collect();
        rows.into_iter().map(|row| line(row, &widths, paint, most.unwrap_or(usize::MAX))).collect()
    }
}

fn line(row: &[Cell], widths: &[usize], paint: Paint, most: usize) -> String {
    let mut line = String::new();
    let mut left = most;
    for (index, (cell, width)) in row.iter().zip(widths).enumerate() {
        let text = cut(&cell.text, left);
        let _ = write!(line, "{}", paint.tinted(&text, cell.tone));
        let taken = columns(&text);
        if index + 1 == row.len() || taken < columns(&cell.text) {
            break;
        }
        let blanks = (width - taken + GAP).min(left - taken);
        line.push_str(&" ".repeat(blanks));
        left = left - taken - blanks;
    }
    line.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let mut table = Table::new(vec!["NAME", "STATE", "AGE"]);
        table.push(vec![Cell::new("支援", Tone::Plain), Cell::new("Met", Tone::Good), Cell::of(Some("5m"))]);
        table.push(vec![
            Cell::new("a\x1b[2J", Tone::Plain),
            Cell::new("Exhausted", Tone::Bad),
            Cell::of(None),
        ]);
        table
    }

    #[test]
    fn columns_line_up_by_what_a_terminal_shows() {
        let expected =
            ["NAME         STATE       AGE", "支援         Met         5m", "a\\u{1b}[2J   Exhausted   -"];
        assert_eq!(table().lines(Paint::Bare, None), expected);
    }

    #[test]
    fn no_line_is_wider_than_the_terminal() {
        for most in 0..32 {
            for line in table().lines(Paint::Bare, Some(most)) {
                assert!(columns(&line) <= most, "{line:?} has more than {most} columns");
            }
        }
        assert_eq!(table().lines(Paint::Bare, Some(16))[2], "a\\u{1b}[2J   Ex…");
    }

    #[test]
    fn tones_add_nothing_but_colour() {
        let bare = table().lines(Paint::Bare, None).join("\n");
        let coloured = table().lines(Paint::Colour, None).join("\n");
        assert!(coloured.contains("\u{1b}[1m\u{1b}[31mExhausted\u{1b}[0m"), "{coloured:?}");
        let codes = ["\u{1b}[0m", "\u{1b}[1m", "\u{1b}[2m", "\u{1b}[31m", "\u{1b}[32m", "\u{1b}[33m"];
        let stripped = codes.iter().fold(coloured, |text, code| text.replace(code, ""));
        assert_eq!(stripped, bare);
    }
}
