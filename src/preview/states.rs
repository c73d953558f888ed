//! Panels of type `state-timeline`: a strip for each series, red while it is not 0.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

use super::canvas::{Area, Drawn, pixels};
use super::data::Picture;
use super::style::{self, FAINT, GREEN, INK, RED};
use super::time::Span;

/// Share of the width that names take, as a divisor.
const NAMES: i32 = 5;
/// Highest strip.
const HIGHEST: i32 = 34;

pub(super) fn draw(area: &Area<'_>, picture: &Picture, span: Span) -> Drawn {
    let named = picture.named();
    let (width, height) = (pixels(area.dim_in_pixel().0), pixels(area.dim_in_pixel().1) - 20);
    let line = (height / i32::try_from(named.len().max(1)).unwrap_or(1)).min(HIGHEST);
    let left = width / NAMES;
    let x = |at: f64| left + span.across(at, width - left);
    let step = f64::from(span.step(picture.panel.interval.as_deref()));
    for (top, one) in (0..).map(|number| number * line).zip(&named) {
        let style = style::placed(&style::text(12, INK), HPos::Right, VPos::Center);
        area.draw_text(&style::fitted(&one.name, 12, left - 10), &style, (left - 8, top + line / 2))?;
        for (at, value) in &one.series.points {
            let color = if *value > 0.0 { RED } else { GREEN };
            let strip = [(x(*at - step), top + 3), (x(*at) + 1, top + line - 3)];
            area.draw(&Rectangle::new(strip, color.filled()))?;
        }
    }
    for mark in span.marks() {
        area.draw_text(&span.mark(mark), &style::text(11, FAINT), (x(mark) - 14, height + 4))?;
    }
    Ok(())
}
