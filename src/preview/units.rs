//! Values as people read them, by Grafana's names of units.

/// A value with its unit; digits after the point are chosen where nobody says.
pub(super) fn text(value: f64, unit: &str, decimals: Option<usize>) -> String {
    match unit {
        "percentunit" => format!("{}%", trimmed(value * 100.0, decimals, 2)),
        "currencyUSD" => format!("${}", trimmed(value, decimals, if value.abs() < 1.0 { 3 } else { 2 })),
        "s" => seconds(value),
        "ops" | "wps" | "reqps" => format!("{}/s", short(value, decimals)),
        "none" => trimmed(value, decimals, 2),
        _ => short(value, decimals),
    }
}

fn seconds(value: f64) -> String {
    match value.abs() {
        size if size >= 172_800.0 => format!("{} d", trimmed(value / 86_400.0, None, 1)),
        size if size >= 7_200.0 => format!("{} h", trimmed(value / 3_600.0, None, 1)),
        size if size >= 120.0 => format!("{} min", trimmed(value / 60.0, None, 1)),
        size if size >= 1.0 || size == 0.0 => format!("{} s", trimmed(value, None, 1)),
        _ => format!("{} ms", trimmed(value * 1000.0, None, 0)),
    }
}

fn short(value: f64, decimals: Option<usize>) -> String {
    match value.abs() {
        size if size >= 1e6 => format!("{}M", trimmed(value / 1e6, None, 2)),
        size if size >= 1e4 => format!("{}k", trimmed(value / 1e3, None, 1)),
        size if size >= 100.0 => trimmed(value, decimals, 0),
        size if size < 0.1 => trimmed(value, decimals, 4),
        _ => trimmed(value, decimals, 2),
    }
}

/// So many digits, or at most so many without zeros at the end.
fn trimmed(value: f64, decimals: Option<usize>, most: usize) -> String {
    let text = format!("{value:.*}", decimals.unwrap_or(most));
    let text = if decimals.is_none() && text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    };
    if text.trim_start_matches('-').chars().all(|digit| matches!(digit, '0' | '.')) {
        text.trim_start_matches('-').to_owned()
    } else {
        text
    }
}

/// Steps between marks of durations beyond a second.
const OF_SECONDS: [f64; 12] = [1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0];

/// Round values that divide a range into at most so many parts.
pub(super) fn marks(low: f64, high: f64, most: usize, unit: &str) -> Vec<f64> {
    let parts = i32::try_from(most.max(1)).unwrap_or(1);
    let rough = (high - low) / f64::from(parts);
    if !(rough > 0.0 && rough.is_finite()) {
        return vec![low];
    }
    let magnitude = 10_f64.powf(rough.log10().floor());
    let decimal = [1.0, 2.0, 5.0, 10.0].map(|digit| digit * magnitude);
    let is_large = |step: &&f64| **step >= rough * 0.999;
    let of_seconds = OF_SECONDS.iter().find(is_large).filter(|_| unit == "s" && rough > 1.0);
    let step = *of_seconds.or_else(|| decimal.iter().find(is_large)).unwrap_or(&rough);
    let first = (low / step - 1e-9).ceil();
    let marks = (0..=u32::try_from(most + 1).unwrap_or(1)).map(|number| (first + f64::from(number)) * step);
    marks.filter(|mark| *mark <= high + step * 1e-6).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_read_well() {
        let cases = [
            (0.9875, "percentunit", None, "98.75%"),
            (-0.25, "percentunit", Some(1), "-25.0%"),
            (0.0432, "currencyUSD", None, "$0.043"),
            (12.5, "currencyUSD", Some(2), "$12.50"),
            (0.25, "s", None, "250 ms"),
            (90.0, "s", None, "90 s"),
            (600.0, "s", None, "10 min"),
            (1234.4, "short", Some(0), "1234"),
            (56_000.0, "short", None, "56k"),
            (-0.001, "short", Some(0), "0"),
        ];
        for (value, unit, decimals, read) in cases {
            assert_eq!(text(value, unit, decimals), read);
        }
        let read =
            |marks: Vec<f64>, unit| marks.iter().map(|mark| text(*mark, unit, None)).collect::<Vec<_>>();
        assert_eq!(
            read(marks(0.0, 1.0, 5, "percentunit"), "percentunit"),
            ["0%", "20%", "40%", "60%", "80%", "100%"]
        );
        assert_eq!(read(marks(0.0, 310.0, 4, "s"), "s"), ["0 s", "2 min", "4 min"]);
        assert_eq!(
            read(marks(0.0, 0.02, 4, "ops"), "ops"),
            ["0/s", "0.005/s", "0.01/s", "0.015/s", "0.02/s"]
        );
    }
}
