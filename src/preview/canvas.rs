//! The whole picture: a head, and a card for each panel at its place in the grid.

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

use super::data::{Mark, Picture};
use super::style::{self, COLUMN, FAINT, GAP, HEAD, INK, LINE, PAGE, ROW};
use super::time::Span;
use super::{bars, curves, figure, heatmap, states, table};

/// What is drawn on.
pub(super) type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
/// Something that was drawn, or else why not.
pub(super) type Drawn<T = ()> =
    Result<T, DrawingAreaErrorKind<<SVGBackend<'static> as DrawingBackend>::ErrorType>>;

/// Columns of the grid.
const COLUMNS: u32 = 24;
/// Pixels above a chart, for its title.
const TITLE: i32 = 26;

/// The dashboard as SVG. The same input gives the same bytes.
///
/// # Panics
/// Never: it is drawn into memory.
#[must_use]
pub fn draw(title: &str, pictures: &[Picture], marks: &[Mark], span: Span) -> String {
    let rows = pictures.iter().map(|picture| picture.panel.grid_pos.y + picture.panel.grid_pos.h).max();
    let size = (COLUMNS * COLUMN + GAP, HEAD + rows.unwrap_or_default() * ROW + GAP);
    let mut svg = String::new();
    {
        let canvas = SVGBackend::with_string(&mut svg, size).into_drawing_area();
        let drawn = draw_all(&canvas, title, pictures, marks, span).and_then(|()| canvas.present());
        drawn.expect("drawing into memory should not fail");
    }
    svg
}

fn draw_all(canvas: &Area<'_>, title: &str, pictures: &[Picture], marks: &[Mark], span: Span) -> Drawn {
    canvas.fill(&PAGE)?;
    canvas.draw_text(title, &style::bold(20, INK), (14, 12))?;
    let right = i32::try_from(COLUMNS * COLUMN).unwrap_or_default() - 6;
    let when = style::placed(&style::text(13, FAINT), HPos::Right, VPos::Top);
    canvas.draw_text(&span.text(), &when, (right, 18))?;
    pictures.iter().try_for_each(|picture| draw_panel(canvas, picture, marks, span))
}

fn draw_panel(canvas: &Area<'_>, picture: &Picture, marks: &[Mark], span: Span) -> Drawn {
    let place = picture.panel.grid_pos;
    let corner = (pixels(place.x * COLUMN + GAP), pixels(HEAD + place.y * ROW));
    let size = (place.w * COLUMN - GAP, place.h * ROW - GAP);
    if picture.panel.kind == "row" {
        return canvas.draw_text(&picture.panel.title, &style::bold(15, INK), (corner.0 + 4, corner.1 + 4));
    }
    let card = canvas.clone().shrink(corner, size);
    card.fill(&WHITE)?;
    let frame = Rectangle::new([(0, 0), (pixels(size.0) - 1, pixels(size.1) - 1)], LINE.stroke_width(1));
    card.draw(&frame)?;
    let title = style::fitted(&picture.panel.title, 14, pixels(size.0) - 20);
    card.draw_text(&title, &style::bold(14, INK), (10, 7))?;
    let chart = card.shrink((10, TITLE), (size.0.saturating_sub(20), size.1.saturating_sub(34)));
    if picture.answers.iter().all(|answer| answer.series.is_empty()) {
        return say(&chart, picture.panel.field_config.defaults.no_value.as_deref().unwrap_or("No data"));
    }
    match picture.panel.kind.as_str() {
        "timeseries" => curves::draw(&chart, picture, marks, span),
        "stat" | "gauge" => figure::draw(&chart, picture),
        "barchart" => bars::draw(&chart, picture),
        "heatmap" => heatmap::draw(&chart, picture, span),
        "table" => table::draw(&chart, picture),
        "state-timeline" => states::draw(&chart, picture, span),
        other => say(&chart, &format!("Only Grafana draws panels of type {other}")),
    }
}

/// A few words instead of a chart.
pub(super) fn say(area: &Area<'_>, words: &str) -> Drawn {
    let (width, height) = area.dim_in_pixel();
    let style = style::placed(&style::text(14, FAINT), HPos::Center, VPos::Center);
    area.draw_text(words, &style, (pixels(width / 2), pixels(height / 2)))
}

/// Pictures are small.
pub(super) fn pixels(size: u32) -> i32 {
    i32::try_from(size).unwrap_or(i32::MAX)
}
