//! Why a counter falls: restarts, amounts of each interval, or several processes that write one series.

/// From how many falls on a counter is not merely restarted often.
const MANY_FALLS: usize = 3;

/// Why a counter falls.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Fall {
    /// It holds the amounts of each interval.
    Delta,
    /// It jumps between the counters of several processes.
    TwoLines,
}

/// Why a counter with these samples falls, if it does so more often than restarts explain.
pub(super) fn fall(samples: &[f64]) -> Option<Fall> {
    let pairs: Vec<(f64, f64)> = samples.windows(2).map(|pair| (pair[0], pair[1])).collect();
    let falls = pairs.iter().filter(|(before, after)| after < before).count();
    let changes = pairs.iter().filter(|(before, after)| (after - before).abs() > f64::EPSILON).count();
    if falls < MANY_FALLS || falls * 5 < changes {
        return None;
    }
    // Few processes make few lines, each of them rising; amounts make as many as there are sizes of them.
    let lines = rising_lines(samples);
    let rises = |line: &[f64]| line.len() > 2 && line[line.len() - 1] > line[0];
    let is_of_processes = lines.len() <= 4 && lines.iter().filter(|line| rises(line)).count() >= 2;
    let is_far_apart = lines.len() == 2 && lines[0][0] > 100.0 * lines[1][0].max(1.0);
    Some(if is_of_processes && is_separate(&lines) || is_far_apart { Fall::TwoLines } else { Fall::Delta })
}

/// As few lines that never fall as the samples can be put on, in order: each sample goes on the highest
/// line that it does not fall from.
fn rising_lines(samples: &[f64]) -> Vec<Vec<f64>> {
    let mut lines: Vec<Vec<f64>> = Vec::new();
    for sample in samples {
        let highest = lines
            .iter_mut()
            .filter(|line| line.last().is_some_and(|last| last <= sample))
            .max_by(|one, other| f64::total_cmp(&one[one.len() - 1], &other[other.len() - 1]));
        match highest {
            Some(line) => line.push(*sample),
            None => lines.push(vec![*sample]),
        }
    }
    lines
}

/// Whether lines keep their distance, as counters of different ages do: no line ends where a higher one
/// began.
fn is_separate(lines: &[Vec<f64>]) -> bool {
    lines.windows(2).all(|pair| pair[1][pair[1].len() - 1] < pair[0][0])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn falls_of_amounts_of_processes_and_of_restarts_are_told_apart() {
        let amounts = [2.0, 5.0, 1.0, 3.0, 5.0, 2.0, 1.0, 4.0, 2.0, 1.0, 6.0, 3.0];
        let small = [1.0, 2.0, 1.0, 1.0, 2.0, 1.0, 2.0, 1.0, 2.0, 2.0, 1.0, 1.0];
        let processes = [100.0, 7.0, 101.0, 8.0, 103.0, 9.0, 104.0, 9.0, 106.0, 12.0, 107.0, 13.0];
        let idle = [900.0, 3.0, 900.0, 3.0, 900.0, 3.0, 900.0, 3.0];
        let restarts = [10.0, 20.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 1.0];
        assert_eq!(fall(&amounts), Some(Fall::Delta));
        assert_eq!(fall(&small), Some(Fall::Delta));
        assert_eq!(fall(&processes), Some(Fall::TwoLines));
        assert_eq!(fall(&idle), Some(Fall::TwoLines));
        assert_eq!(fall(&restarts), None);
    }
}
