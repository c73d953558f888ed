//! The objective and its complement, the error budget.

use std::fmt;

use super::decimal::Decimal;

/// Share of events that must be good: at least a half, less than one, with at most seven decimals.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Objective {
    percent: Decimal,
}

/// Why a text is not an objective.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ObjectiveError {
    /// Not a plain decimal with at most five digits after the point.
    Format,
    /// 100 or more.
    TooHigh,
    /// Less than 50.
    TooLow,
}

impl Objective {
    /// Reads a percentage such as `99.5`.
    ///
    /// # Errors
    /// See [`ObjectiveError`].
    pub fn parse(text: &str) -> Result<Self, ObjectiveError> {
        let fraction = text.split_once('.').map_or(0, |(_, digits)| digits.len());
        let plain = text.starts_with(|first: char| first.is_ascii_digit()) && fraction <= 5;
        let whole = text.split('.').next().unwrap_or_default();
        let percent =
            Decimal::parse(text).filter(|_| plain && whole.len() <= 3).ok_or(ObjectiveError::Format)?;
        if percent >= Decimal::from_integer(100) {
            return Err(ObjectiveError::TooHigh);
        }
        if percent < Decimal::from_integer(50) {
            return Err(ObjectiveError::TooLow);
        }
        Ok(Self { percent })
    }

    /// As a percentage.
    #[must_use]
    pub fn percent(self) -> Decimal {
        self.percent
    }

    /// As a share of one.
    #[must_use]
    pub fn share(self) -> Decimal {
        self.percent * Decimal::from_ratio(1, 100)
    }

    /// The share of events that may be bad.
    #[must_use]
    pub fn budget(self) -> Decimal {
        Decimal::ONE - self.share()
    }
}

impl fmt::Display for Objective {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}%", self.percent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objectives_are_exact() {
        let objective = Objective::parse("99.99999").expect("test data should parse");
        assert_eq!(objective.budget().to_string(), "0.0000001");
        assert_eq!(objective.to_string(), "99.99999%");
    }

    #[test]
    fn texts_that_are_no_objective_say_why() {
        let cases = [
            ("100", ObjectiveError::TooHigh),
            ("0", ObjectiveError::TooLow),
            ("0.995", ObjectiveError::TooLow),
            ("-1", ObjectiveError::Format),
            ("1e2", ObjectiveError::Format),
            ("NaN", ObjectiveError::Format),
            ("99,5", ObjectiveError::Format),
            (" 99.5", ObjectiveError::Format),
            ("99.999999", ObjectiveError::Format),
            ("95%", ObjectiveError::Format),
            ("1000", ObjectiveError::Format),
        ];
        for (text, error) in cases {
            assert_eq!(Objective::parse(text), Err(error), "{text}");
        }
    }
}
