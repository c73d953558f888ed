//! Panels of type `barchart`: one horizontal bar for each series.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

use super::canvas::{Area, Drawn, pixels};
use super::data::Picture;
use super::style::{self, FAINT, INK};
use super::units;

/// Share of the width that names take, as a divisor.
const NAMES: i32 = 3;
/// Pixels for the value behind a bar.
const VALUE: i32 = 56;
/// Highest bar.
const HIGHEST: i32 = 26;

pub(super) fn draw(area: &Area<'_>, picture: &Picture) -> Drawn {
    let defaults = &picture.panel.field_config.defaults;
    let all = picture.answers.iter().flat_map(|answer| &answer.series);
    let mut bars: Vec<(String, f64)> =
        all.filter_map(|one| Some((one.label_values(), one.last()?))).collect();
    bars.sort_by(|one, other| other.1.total_cmp(&one.1).then_with(|| one.0.cmp(&other.0)));
    let most = defaults.max.unwrap_or_else(|| bars.iter().map(|bar| bar.1).fold(0.0, f64::max)).max(1e-9);
    let (width, height) = (pixels(area.dim_in_pixel().0), pixels(area.dim_in_pixel().1));
    let line = (height / i32::try_from(bars.len().max(1)).unwrap_or(1)).min(HIGHEST + 8);
    let left = width / NAMES;
    let color = defaults.color.fixed_color.as_deref().map_or_else(|| style::palette(0), style::named);
    for (top, (name, value)) in (0..).map(|number| number * line).zip(&bars) {
        let middle = top + line / 2;
        #[allow(clippy::cast_possible_truncation, reason = "a share of few pixels")]
        let long = (f64::from(width - left - VALUE) * (value / most).clamp(0.0, 1.0)) as i32;
        let right_of = style::placed(&style::text(12, INK), HPos::Right, VPos::Center);
        area.draw_text(&style::fitted(name, 12, left - 10), &right_of, (left - 8, middle))?;
        let bar = [(left, top + 3), (left + long.max(1), top + line - 3)];
        area.draw(&Rectangle::new(bar, color.mix(0.85).filled()))?;
        let left_of = style::placed(&style::text(12, FAINT), HPos::Left, VPos::Center);
        let text = units::text(*value, &defaults.unit, defaults.decimals);
        area.draw_text(&text, &left_of, (left + long + 6, middle))?;
    }
    Ok(())
}
