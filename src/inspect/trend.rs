//! How fast the budget burnt over the window, as a line of small bars. The scale is fixed, so that the
//! lines of two AgentSLOs can be compared.

/// Parts into which a window is divided.
pub const PARTS: u32 = 16;

/// Bars, and the burn rate from which on each is drawn. From one on the budget does not last.
const BARS: [(f64, char); 8] = [
    (14.4, '█'),
    (6.0, '▇'),
    (3.0, '▆'),
    (2.0, '▅'),
    (1.0, '▄'),
    (0.5, '▃'),
    (f64::MIN_POSITIVE, '▂'),
    (f64::NEG_INFINITY, '▁'),
];
/// Where nothing is known, which is not the same as nothing burnt.
const UNKNOWN: char = '·';

/// A bar for each part of the window, oldest first.
#[must_use]
pub fn sparkline(burn_rates: &[Option<f64>]) -> String {
    burn_rates.iter().map(|rate| rate.map_or(UNKNOWN, bar)).collect()
}

fn bar(rate: f64) -> char {
    BARS.iter().find(|(from, _)| rate >= *from).map_or(UNKNOWN, |(_, bar)| *bar)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_is_not_drawn_as_nothing_burnt() {
        let rates =
            [None, Some(0.0), Some(0.1), Some(0.7), Some(1.0), Some(2.5), Some(5.0), Some(9.0), Some(100.0)];
        assert_eq!(sparkline(&rates), "·▁▂▃▄▅▆▇█");
        assert_eq!(sparkline(&[Some(f64::NAN)]), "·");
    }
}
