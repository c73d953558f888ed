//! Lengths of time that rules look back: whole minutes.

use std::fmt;

/// A length of time in whole minutes, at least one.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Window(u32);

impl Window {
    /// Five minutes: the length of one recorded count.
    pub const TILE: Self = Self(5);

    /// A number of minutes.
    #[must_use]
    pub const fn from_minutes(minutes: u32) -> Self {
        Self(minutes)
    }

    /// A number of hours.
    #[must_use]
    pub const fn from_hours(hours: u32) -> Self {
        Self(hours * 60)
    }

    /// A number of days.
    #[must_use]
    pub const fn from_days(days: u32) -> Self {
        Self(days * 24 * 60)
    }

    /// Reads `90m`, `6h`, `30d` or `4w`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let unit = text.chars().last()?;
        let number = &text[..text.len() - unit.len_utf8()];
        let plain = number.len() <= 6 && number.bytes().all(|byte| byte.is_ascii_digit());
        if !plain || number.is_empty() || number.starts_with('0') {
            return None;
        }
        let factor = match unit {
            'm' => 1,
            'h' => 60,
            'd' => 1440,
            'w' => 10_080,
            _ => return None,
        };
        number.parse::<u32>().ok()?.checked_mul(factor).map(Self)
    }

    /// Length in minutes.
    #[must_use]
    pub const fn minutes(self) -> u32 {
        self.0
    }

    /// Length in hours.
    #[must_use]
    pub fn hours(self) -> f64 {
        f64::from(self.0) / 60.0
    }
}

impl fmt::Display for Window {
    /// The shortest PromQL duration with one unit, at most days.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            minutes if minutes % 1440 == 0 => write!(formatter, "{}d", minutes / 1440),
            minutes if minutes % 60 == 0 => write!(formatter, "{}h", minutes / 60),
            minutes => write!(formatter, "{minutes}m"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_are_read_and_printed_in_one_unit() {
        let cases = [("30d", "30d"), ("4w", "28d"), ("60m", "1h"), ("36h", "36h"), ("90m", "90m")];
        for (text, printed) in cases {
            assert_eq!(Window::parse(text).map(|window| window.to_string()).as_deref(), Some(printed));
        }
        for text in ["1y", "0d", "-7d", "28", "", "d", "1.5h", "10000000d", "5µ"] {
            assert_eq!(Window::parse(text), None, "{text}");
        }
    }
}
