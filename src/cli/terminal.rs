//! What the terminal can show: whether it is one, how wide it is, and whether it wants colours.

use std::io::{self, IsTerminal, Write};

use clap::{Args, ValueEnum};
use terminal_size::{Height, Width, terminal_size};

use crate::inspect::{Paint, Table};

/// When colours are used.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, ValueEnum)]
enum Colour {
    /// On a terminal, unless NO_COLOR is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// How text is shown.
#[derive(Args, Clone, Copy, Debug, Default)]
pub(super) struct Look {
    /// When colours are used; words say the same.
    #[arg(long = "color", value_enum, default_value_t, value_name = "WHEN")]
    colour: Colour,
}

impl Look {
    /// Whether tones are shown.
    pub(super) fn paint(self) -> Paint {
        let wanted = match self.colour {
            Colour::Always => true,
            Colour::Never => false,
            Colour::Auto => is_terminal() && !is_unwanted(),
        };
        if wanted { Paint::Colour } else { Paint::Bare }
    }

    /// A table, cut to the terminal where there is one.
    pub(super) fn table(self, table: &Table) -> Vec<String> {
        table.lines(self.paint(), width())
    }
}

/// <https://no-color.org>, and terminals that cannot.
fn is_unwanted() -> bool {
    let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    is_set("NO_COLOR") || std::env::var_os("TERM").is_some_and(|term| term == "dumb")
}

/// Whether standard output is a terminal.
pub(super) fn is_terminal() -> bool {
    io::stdout().is_terminal()
}

/// Columns of the terminal; none in a pipe.
pub(super) fn width() -> Option<usize> {
    let (Width(width), _) = terminal_size().filter(|_| is_terminal())?;
    Some(usize::from(width))
}

/// Draws lines over what was drawn before. What does not fit the screen is not seen, as with `watch`.
pub(super) fn redraw(lines: &[String]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    let rows = terminal_size().map_or(usize::MAX, |(_, Height(rows))| usize::from(rows).saturating_sub(1));
    // To the first line; then each line and the rest of its row; then the rest of the screen.
    write!(out, "\x1b[H")?;
    for line in lines.iter().take(rows) {
        write!(out, "{line}\x1b[K\r\n")?;
    }
    write!(out, "\x1b[J")?;
    out.flush()
}

/// An empty screen.
pub(super) fn clear() -> io::Result<()> {
    let mut out = io::stdout().lock();
    write!(out, "\x1b[2J\x1b[H")?;
    out.flush()
}
