//! What was measured, beside what it may be.

use std::fmt;

/// What a measure may be.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Bound {
    /// Whatever it is.
    None,
    /// At most this.
    AtMost(f64),
}

impl Bound {
    /// Of the memory for so many AgentSLOs.
    pub(crate) fn of_memory(size: usize) -> Self {
        match size {
            1_000 => Self::AtMost(48.0),
            10_000 => Self::AtMost(128.0),
            _ => Self::None,
        }
    }
}

/// One measure.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    size: usize,
    what: &'static str,
    value: f64,
    bound: Bound,
}

impl Row {
    pub(crate) fn new(size: usize, what: &'static str, value: f64, bound: Bound) -> Self {
        Self { size, what, value, bound }
    }

    fn is_within(&self) -> bool {
        match self.bound {
            Bound::None => true,
            Bound::AtMost(most) => self.value <= most,
        }
    }

    fn verdict(&self) -> &'static str {
        match self.bound {
            Bound::None => "",
            Bound::AtMost(_) if self.is_within() => "met",
            Bound::AtMost(_) => "NOT MET",
        }
    }
}

impl fmt::Display for Row {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bound = match self.bound {
            Bound::None => String::new(),
            Bound::AtMost(most) => format!("{most}"),
        };
        let Self { size, what, value, .. } = self;
        write!(out, "| {size:>6} | {what:<60} | {value:>9.3} | {bound:>6} | {:<7} |", self.verdict())
    }
}

/// All of them.
#[derive(Debug, Default)]
pub(crate) struct Table(Vec<Row>);

impl Table {
    /// Adds rows, and prints them for whoever waits.
    pub(crate) fn add(&mut self, rows: impl IntoIterator<Item = Row>) {
        for row in rows {
            println!("  {row}");
            self.0.push(row);
        }
    }

    pub(crate) fn is_within(&self) -> bool {
        self.0.iter().all(Row::is_within)
    }
}

impl fmt::Display for Table {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "| {:>6} | {:<60} | {:>9} | {:>6} | {:<7} |", "SLOs", "measure", "value", "most", "")?;
        writeln!(out, "| -----: | {} | --------: | -----: | ------- |", "-".repeat(60))?;
        self.0.iter().try_for_each(|row| writeln!(out, "{row}"))
    }
}
