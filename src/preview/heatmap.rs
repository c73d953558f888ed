//! Panels of type `heatmap`: how many observations fell into which bucket, when.

use std::collections::BTreeMap;

use plotters::prelude::*;

use super::canvas::{Area, Drawn, pixels, say};
use super::data::Picture;
use super::style::{self, FAINT, LINE};
use super::time::{self, Span};
use super::units;

/// Pixels for bounds beside the map, and for marks of time.
const BESIDE: i32 = 56;
const BELOW: i32 = 22;
/// From few to many.
const PALE: RGBColor = RGBColor(254, 237, 211);
const DARK: RGBColor = RGBColor(190, 75, 5);

/// Counts by bucket, each with its upper bound.
type Buckets = Vec<(f64, BTreeMap<i64, f64>)>;

pub(super) fn draw(area: &Area<'_>, picture: &Picture, span: Span) -> Drawn {
    let buckets = buckets(picture);
    let most = buckets.iter().flat_map(|(_, counts)| counts.values()).copied().fold(0.0, f64::max);
    if most <= 0.0 {
        return say(area, "No data");
    }
    let (width, height) = (pixels(area.dim_in_pixel().0), pixels(area.dim_in_pixel().1));
    let (map_width, map_height) = (width - BESIDE, height - BELOW);
    let rows = i32::try_from(buckets.len()).unwrap_or(1);
    let step = span.step(picture.panel.interval.as_deref());
    let x = |at: f64| BESIDE + span.across(at, map_width);
    let y = |row: i32| map_height - map_height * row / rows;
    for (row, (bound, counts)) in (0..).zip(&buckets) {
        for (at, count) in counts.iter().filter(|(_, count)| **count > 0.05) {
            let end = time::seconds(*at);
            let cell = [
                (x(end - f64::from(step)), y(row + 1)),
                ((x(end) - 1).max(x(end - f64::from(step)) + 1), y(row) - 1),
            ];
            area.draw(&Rectangle::new(cell, shade(*count, most).filled()))?;
        }
        let name = if bound.is_finite() { units::text(*bound, "s", None) } else { "more".to_owned() };
        area.draw_text(&name, &style::text(11, FAINT), (4, y(row + 1) + 2))?;
    }
    area.draw(&PathElement::new([(BESIDE, map_height), (width, map_height)], LINE))?;
    for mark in span.marks() {
        area.draw_text(&span.mark(mark), &style::text(11, FAINT), (x(mark) - 14, map_height + 6))?;
    }
    Ok(())
}

/// From cumulative counts to those between two bounds; buckets that were never used are left out at both
/// ends.
fn buckets(picture: &Picture) -> Buckets {
    let bound =
        |text: &str| if text == "+Inf" { f64::INFINITY } else { text.parse().unwrap_or(f64::INFINITY) };
    let all = picture.answers.iter().flat_map(|answer| &answer.series);
    let mut cumulative: Vec<(f64, &Vec<(f64, f64)>)> =
        all.filter_map(|series| Some((bound(series.labels.get("le")?), &series.points))).collect();
    cumulative.sort_by(|one, other| one.0.total_cmp(&other.0));
    let mut below = BTreeMap::<i64, f64>::new();
    let mut buckets: Buckets = Vec::new();
    for (bound, points) in cumulative {
        let counts = points.iter().map(|(at, value)| {
            let before = below.insert(time::whole(*at), *value).unwrap_or_default();
            (time::whole(*at), (value - before).max(0.0))
        });
        buckets.push((bound, counts.collect()));
    }
    let is_used = |(_, counts): &(f64, BTreeMap<i64, f64>)| counts.values().any(|count| *count > 0.05);
    let last = buckets.iter().rposition(is_used).map_or(0, |last| last + 1);
    buckets.truncate(last);
    buckets
}

/// Darker for more; of the root, so that single runs are seen beside hundreds.
fn shade(count: f64, most: f64) -> RGBColor {
    let share = (count / most).sqrt().clamp(0.0, 1.0);
    let mix = |pale: u8, dark: u8| {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between two bytes")]
        let mixed = (f64::from(pale) + (f64::from(dark) - f64::from(pale)) * share) as u8;
        mixed
    };
    RGBColor(mix(PALE.0, DARK.0), mix(PALE.1, DARK.1), mix(PALE.2, DARK.2))
}
