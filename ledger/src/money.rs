//! Money in whole millionths of a US dollar, so that sums are exact.

/// A decimal text in millionths, rounded half up. Sums of many calls are exact, since no fraction is added.
#[must_use]
pub fn millionths(text: &str) -> Option<i64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !is_digits(whole) || !is_digits(fraction) {
        return None;
    }
    let padded = format!("{fraction:0<7}");
    let (six, rest) = padded.split_at(6);
    let millions: i64 = whole.parse::<i64>().ok()?.checked_mul(1_000_000)?;
    millions.checked_add(six.parse::<i64>().ok()?)?.checked_add(i64::from(rest.as_bytes()[0] >= b'5'))
}

/// Millionths as dollars, to the cent, and to the millionth where less than a dollar would lose by it.
#[must_use]
pub fn dollars(millionths: i64) -> String {
    let (whole, rest) = (millionths / 1_000_000, (millionths % 1_000_000).abs());
    let sign = if millionths < 0 { "-" } else { "" };
    if whole == 0 && rest % 10_000 != 0 {
        return format!("{sign}0.{rest:06}");
    }
    let cents = (millionths.abs() + 5_000) / 10_000;
    format!("{sign}{}.{:02}", cents / 100, cents % 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_is_counted_in_millionths() {
        let cases = [
            ("0", Some(0)),
            ("12", Some(12_000_000)),
            ("0.25", Some(250_000)),
            ("0.0000005", Some(1)),
            ("0.00000049", Some(0)),
            ("1.9999999", Some(2_000_000)),
            ("9999999999999", None),
            ("-1", None),
            ("1e-3", None),
            ("NaN", None),
            ("", None),
            (".5", None),
        ];
        for (text, expected) in cases {
            assert_eq!(millionths(text), expected, "{text}");
        }
    }

    #[test]
    fn dollars_are_written_to_the_cent() {
        let cases = [
            (0, "0.00"),
            (1_230_000, "1.23"),
            (1_235_000, "1.24"),
            (-1_230_000, "-1.23"),
            (40_000, "0.04"),
            (1_234, "0.001234"),
            (999_999, "0.999999"),
            (12_345_678_901, "12345.68"),
        ];
        for (millionths, expected) in cases {
            assert_eq!(dollars(millionths), expected);
        }
    }
}
