//! Exact decimal numbers: ratios, thresholds and burn rates are computed and printed without binary
//! fractions, so that the rule says `0.144` and not `0.14400000000000002`.

use std::fmt;
use std::ops::{Add, Mul, Sub};

/// Digits after the point.
const SCALE_DIGITS: u32 = 12;
/// One, in the unit of [`Decimal`].
const ONE: i128 = 10_i128.pow(SCALE_DIGITS);

/// A number with twelve exact digits after the point.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Decimal(i128);

impl Decimal {
    /// 0.
    pub const ZERO: Self = Self(0);
    /// 1.
    pub const ONE: Self = Self(ONE);

    /// A whole number.
    #[must_use]
    pub const fn from_integer(value: i64) -> Self {
        Self(value as i128 * ONE)
    }

    /// `numerator / denominator`, rounded half away from zero at the twelfth digit.
    ///
    /// # Panics
    /// If the denominator is zero.
    #[must_use]
    pub fn from_ratio(numerator: i64, denominator: i64) -> Self {
        Self(divide(i128::from(numerator) * ONE, i128::from(denominator)))
    }

    /// Reads plain decimal notation with at most twelve digits after the point.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (sign, digits) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        let fits = !whole.is_empty() && whole.len() <= 15 && fraction.len() <= SCALE_DIGITS as usize;
        if !fits || !all_digits(whole) || !all_digits(fraction) || digits.ends_with('.') {
            return None;
        }
        let whole: i128 = whole.parse().ok()?;
        let fraction: i128 = format!("{fraction:0<12}").parse().ok()?;
        Some(Self(sign * (whole * ONE + fraction)))
    }

    /// The quotient, rounded half away from zero at the twelfth digit.
    ///
    /// # Panics
    /// If `divisor` is zero.
    #[must_use]
    pub fn divided_by(self, divisor: Self) -> Self {
        Self(divide(self.0 * ONE, divisor.0))
    }

    /// The nearest multiple of `10^-digits`.
    #[must_use]
    pub fn rounded(self, digits: u32) -> Self {
        let step = 10_i128.pow(SCALE_DIGITS - digits.min(SCALE_DIGITS));
        Self(divide(self.0, step) * step)
    }

    /// The nearest decimal of a finite binary number, at nine digits. Only for numbers that come from
    /// logarithms or roots.
    #[must_use]
    pub fn from_f64(value: f64) -> Self {
        #[allow(clippy::cast_possible_truncation)]
        Self((value * 1e9).round() as i128 * 1000)
    }

    /// The nearest binary number.
    #[must_use]
    pub fn to_f64(self) -> f64 {
        #[allow(clippy::cast_precision_loss)]
        let value = self.0 as f64 / ONE as f64;
        value
    }
}

fn divide(numerator: i128, denominator: i128) -> i128 {
    let doubled = numerator * 2;
    let away = if (numerator < 0) == (denominator < 0) { denominator } else { -denominator };
    (doubled + away) / (denominator * 2)
}

impl Add for Decimal {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl Sub for Decimal {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0 - other.0)
    }
}

impl Mul for Decimal {
    type Output = Self;
    fn mul(self, other: Self) -> Self {
        Self(divide(self.0 * other.0, ONE))
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let (whole, fraction) = (self.0.abs() / ONE, self.0.abs() % ONE);
        if fraction == 0 {
            return write!(formatter, "{sign}{whole}");
        }
        let digits = format!("{fraction:012}");
        write!(formatter, "{sign}{whole}.{}", digits.trim_end_matches('0'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_read_and_printed_exactly() {
        for text in ["0", "1", "14.4", "0.144", "0.000001", "99.99999", "-0.5", "120"] {
            assert_eq!(Decimal::parse(text).map(|d| d.to_string()).as_deref(), Some(text));
        }
        for text in ["", ".5", "5.", "1e2", "1,5", " 1", "--1", "NaN", "0.1234567890123"] {
            assert_eq!(Decimal::parse(text), None, "{text}");
        }
    }

    #[test]
    fn products_and_quotients_are_exact_or_rounded_half_away_from_zero() {
        let decimal = |text| Decimal::parse(text).expect("test data should parse");
        assert_eq!((decimal("14.4") * decimal("0.01")).to_string(), "0.144");
        assert_eq!(decimal("1").divided_by(decimal("3")).to_string(), "0.333333333333");
        assert_eq!(decimal("-1").divided_by(decimal("3")).to_string(), "-0.333333333333");
        assert_eq!(decimal("0.93333").rounded(3).to_string(), "0.933");
        assert_eq!(Decimal::from_ratio(2, 3).rounded(2).to_string(), "0.67");
    }
}
