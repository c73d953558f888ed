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
    is_in_memory: bool,
    what: &'static str,
    value: f64,
    bound: Bound,
}

impl Row {
    pub(crate) fn new(size: usize, what: &'static str, value: f64, bound: Bound) -> Self {
        Self { size, is_in_memory: false, what, value, bound }
    }

    /// The same, measured against the API server in memory.
    pub(crate) fn in_memory(self) -> Self {
        Self { is_in_memory: true, ..self }
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
            Bound::AtMost(most) => format!("{most:.1}"),
        };
        let Self { size, what, value, .. } = self;
        let server = if self.is_in_memory { "memory" } else { "real" };
        write!(
            out,
            "| {size:>6} | {server:<6} | {what:<60} | {value:>9.3} | {bound:>7} | {:<7} |",
            self.verdict()
        )
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
        writeln!(
            out,
            "| {:>6} | {:<6} | {:<60} | {:>9} | {:>7} | {:<7} |",
            "SLOs", "server", "measure", "value", "most", ""
        )?;
        writeln!(out, "| -----: | ------ | {} | --------: | ------: | ------- |", "-".repeat(60))?;
        self.0.iter().try_for_each(|row| writeln!(out, "{row}"))
    }
}
