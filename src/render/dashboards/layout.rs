//! Closes the gaps that panels leave which were left out. In a source panels with the same `y` form a line
//! across all columns; what is left of a line shares them, and lines move up.

use serde_json::{Value, json};

/// Columns of Grafana's grid.
const COLUMNS: u64 = 24;

/// Moves and stretches the panels of a dashboard.
pub(super) fn close_gaps(dashboard: &mut Value) {
    let Some(panels) = dashboard["panels"].as_array_mut() else { return };
    let mut top = 0;
    for line in panels.chunk_by_mut(|one, next| place(one, "y") == place(next, "y")) {
        top += lay_out(line, top);
    }
}

/// Lays out one line, and says how high it is.
fn lay_out(line: &mut [Value], top: u64) -> u64 {
    let wanted: u64 = line.iter().map(|panel| place(panel, "w")).sum();
    let height = line.iter().map(|panel| place(panel, "h")).max().unwrap_or_default();
    let (mut before, mut left) = (0, 0);
    for panel in line {
        before += place(panel, "w");
        // Of the sum, so that what division drops never adds up to a gap.
        let right = before * COLUMNS / wanted.max(1);
        panel["gridPos"] = json!({"x": left, "y": top, "w": right - left, "h": height});
        left = right;
    }
    height
}

fn place(panel: &Value, what: &str) -> u64 {
    panel["gridPos"][what].as_u64().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grid(x: u64, y: u64, w: u64, h: u64) -> Value {
        json!({"gridPos": {"x": x, "y": y, "w": w, "h": h}})
    }

    #[test]
    fn what_is_left_of_a_line_shares_its_columns() {
        let panels =
            [grid(0, 0, 24, 1), grid(0, 1, 4, 5), grid(8, 1, 4, 5), grid(20, 1, 4, 5), grid(12, 20, 12, 8)];
        let mut dashboard = json!({"panels": panels});
        close_gaps(&mut dashboard);
        let expected =
            [grid(0, 0, 24, 1), grid(0, 1, 8, 5), grid(8, 1, 8, 5), grid(16, 1, 8, 5), grid(0, 6, 24, 8)];
        assert_eq!(dashboard, json!({"panels": expected}));
    }
}
