//! Panels of type `timeseries`: lines, or stacked bars, over time.

use std::ops::Range;

use plotters::coord::Shift;
use plotters::coord::ranged1d::{DefaultFormatting, KeyPointHint};
use plotters::prelude::*;

use super::canvas::{Area, Drawn, pixels};
use super::data::{Mark, Named, Picture};
use super::style::{self, FAINT, LINE};
use super::time::{self, Span};
use super::units;

/// Pixels for a line of the legend, for marks of time, and for values beside the axis.
const LEGEND: u32 = 17;
const BELOW: u32 = 22;
const BESIDE: u32 = 52;

/// A line or a stack of bars with its name and colour.
#[derive(Clone)]
struct Curve<'a> {
    name: String,
    color: RGBColor,
    points: &'a [(f64, f64)],
    is_dashed: bool,
}

/// A linear axis with marks of our choice.
struct Axis {
    ends: Range<f64>,
    marks: Vec<f64>,
}

impl Ranged for Axis {
    type FormatOption = DefaultFormatting;
    type ValueType = f64;

    #[allow(clippy::cast_possible_truncation, reason = "a picture has few pixels")]
    fn map(&self, value: &f64, (from, to): (i32, i32)) -> i32 {
        let share = (value - self.ends.start) / (self.ends.end - self.ends.start);
        from + (f64::from(to - from) * share).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, _: Hint) -> Vec<f64> {
        self.marks.clone()
    }

    fn range(&self) -> Range<f64> {
        self.ends.clone()
    }
}

type Chart<'a, 'b> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<Axis, Axis>>;

pub(super) fn draw(area: &Area<'_>, picture: &Picture, marks: &[Mark], span: Span) -> Drawn {
    let named = picture.named();
    let (right, left): (Vec<_>, Vec<_>) =
        named.into_iter().enumerate().partition(|(_, named)| is_on_the_right(picture, &named.name));
    let (left, right) = (curves(picture, &left), curves(picture, &right));
    let chart_area = draw_legend(area, &[left.as_slice(), &right].concat())?;
    if !right.is_empty() {
        draw_counts(&chart_area, &right, span, !left.is_empty())?;
    }
    let are_bars = picture.custom("drawStyle") == "bars";
    let is_stacked = picture.custom("stacking")["mode"] == "normal";
    let layers = layers(&left, is_stacked);
    let ends = bounds(picture, &layers, are_bars || is_stacked);
    let mut chart = chart(&chart_area, picture, span, ends, !right.is_empty())?;
    draw_marks(&mut chart, marks, ends)?;
    draw_thresholds(&mut chart, picture, span, ends)?;
    let width = f64::from(span.step(picture.panel.interval.as_deref()));
    for (curve, layer) in left.iter().zip(&layers).rev() {
        if are_bars {
            draw_bars(&mut chart, curve, layer, width)?;
            continue;
        }
        if is_stacked {
            draw_area(&mut chart, curve, layer, width)?;
        }
        draw_line(&mut chart, curve, layer, width)?;
    }
    Ok(())
}

/// A curve from a lower to an upper end, which differ in a stack.
type Layer = Vec<(f64, f64, f64)>;

/// Time, lower and upper end of each curve; in a stack each is on top of those before it.
fn layers(curves: &[Curve<'_>], is_stacked: bool) -> Vec<Layer> {
    let mut below = std::collections::BTreeMap::<i64, f64>::new();
    let layer = |curve: &Curve<'_>| {
        let ends = curve.points.iter().map(|(at, value)| {
            if !is_stacked {
                return (*at, 0.0, *value);
            }
            let sum = below.entry(time::whole(*at)).or_default();
            let low = *sum;
            *sum += if value.is_finite() { value.max(0.0) } else { 0.0 };
            (*at, low, *sum)
        });
        ends.collect()
    };
    curves.iter().map(layer).collect()
}

fn is_on_the_right(picture: &Picture, name: &str) -> bool {
    picture.property(name, "custom.axisPlacement").is_some_and(|place| place == "right")
}

fn curves<'a>(picture: &Picture, named: &[(usize, Named<'a>)]) -> Vec<Curve<'a>> {
    let curve = |(number, named): &(usize, Named<'a>)| {
        let color = picture.property(&named.name, "color").and_then(|color| color["fixedColor"].as_str());
        Curve {
            name: named.name.clone(),
            color: color.map_or_else(|| style::palette(*number), style::named),
            points: &named.series.points,
            is_dashed: picture.property(&named.name, "custom.lineStyle").is_some(),
        }
    };
    named.iter().map(curve).collect()
}

/// Draws the names of the curves at the bottom, in as many lines as they need; what is left is the chart's.
fn draw_legend<'a>(area: &Area<'a>, curves: &[Curve<'_>]) -> Drawn<Area<'a>> {
    let (width, height) = area.dim_in_pixel();
    let most = pixels(width);
    let mut lines = vec![Vec::new()];
    let mut left = 4;
    for curve in curves {
        let name = style::fitted(&curve.name, 12, most / 2);
        let long = 14 + style::width(&name, 12) + 12;
        if left + long > most && left > 4 {
            lines.push(Vec::new());
            left = 4;
        }
        if let Some(line) = lines.last_mut() {
            line.push((left, name, curve.color));
        }
        left += long;
    }
    lines.truncate(3);
    let lines_height = u32::try_from(lines.len()).unwrap_or(1) * LEGEND;
    let (chart, legend) = area.split_vertically(height.saturating_sub(lines_height));
    for (top, line) in (0..).map(|number| number * pixels(LEGEND)).zip(lines) {
        for (left, name, color) in line {
            legend.draw(&Rectangle::new([(left, top + 7), (left + 10, top + 11)], color.filled()))?;
            legend.draw_text(&name, &style::text(12, FAINT), (left + 14, top + 3))?;
        }
    }
    Ok(chart)
}

/// Moments as lines from top to bottom.
fn draw_marks(chart: &mut Chart<'_, '_>, marks: &[Mark], (low, high): (f64, f64)) -> Drawn {
    for mark in marks {
        let color = style::named(&mark.color).mix(0.7).stroke_width(1);
        chart.draw_series(DashedLineSeries::new([(mark.at, low), (mark.at, high)], 3, 3, color))?;
    }
    Ok(())
}

fn chart<'a, 'b>(
    area: &'a DrawingArea<SVGBackend<'b>, Shift>,
    picture: &Picture,
    span: Span,
    (low, high): (f64, f64),
    has_right: bool,
) -> Drawn<Chart<'a, 'b>> {
    let defaults = &picture.panel.field_config.defaults;
    let marks =
        units::marks(low, high, usize::try_from(area.dim_in_pixel().1 / 34).unwrap_or(4), &defaults.unit);
    let time = time_axis(span, span.marks());
    let mut chart = ChartBuilder::on(area)
        .margin_top(6)
        .margin_right(if has_right { BESIDE } else { 8 })
        .set_label_area_size(LabelAreaPosition::Bottom, BELOW)
        .set_label_area_size(LabelAreaPosition::Left, BESIDE)
        .build_cartesian_2d(time, Axis { ends: low..high, marks })?;
    let label = style::text(11, FAINT);
    chart
        .configure_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(LINE)
        .axis_style(LINE)
        .set_all_tick_mark_size(4)
        .x_label_style(label.clone())
        .y_label_style(label)
        .x_label_formatter(&|at| span.mark(*at))
        .y_label_formatter(&|value| units::text(*value, &defaults.unit, None))
        .draw()?;
    Ok(chart)
}

fn time_axis(span: Span, marks: Vec<f64>) -> Axis {
    let [start, end] = span.ends();
    Axis { ends: start..end, marks }
}

/// Counts beside the curves: faint bars on an axis of their own.
fn draw_counts(area: &Area<'_>, curves: &[Curve<'_>], span: Span, beside: bool) -> Drawn {
    let top = curves.iter().flat_map(|curve| curve.points).map(|(_, value)| *value).fold(1.0, f64::max) * 1.6;
    let mut chart = ChartBuilder::on(area)
        .margin_top(6)
        .margin_left(if beside { BESIDE } else { 8 })
        .margin_bottom(BELOW)
        .set_label_area_size(LabelAreaPosition::Right, BESIDE)
        .build_cartesian_2d(
            time_axis(span, Vec::new()),
            Axis { ends: 0.0..top, marks: units::marks(0.0, top, 4, "short") },
        )?;
    chart
        .configure_mesh()
        .disable_mesh()
        .axis_style(TRANSPARENT)
        .y_label_style(style::text(11, FAINT))
        .y_label_formatter(&|value| units::text(*value, "short", None))
        .draw()?;
    for curve in curves {
        let shape = AreaSeries::new(curve.points.iter().copied(), 0.0, curve.color.mix(0.12));
        chart.draw_series(shape)?;
    }
    Ok(())
}

fn draw_thresholds(
    chart: &mut Chart<'_, '_>,
    picture: &Picture,
    span: Span,
    (low, high): (f64, f64),
) -> Drawn {
    if picture.custom("thresholdsStyle")["mode"] != "line" {
        return Ok(());
    }
    let time = span.ends();
    for step in &picture.panel.field_config.defaults.thresholds.steps {
        if let Some(value) = step.value.filter(|value| (low..=high).contains(value)) {
            let color = style::named(&step.color).stroke_width(1);
            chart.draw_series(DashedLineSeries::new(time.map(|at| (at, value)), 5, 4, color))?;
        }
    }
    Ok(())
}

fn draw_bars(chart: &mut Chart<'_, '_>, curve: &Curve<'_>, layer: &Layer, width: f64) -> Drawn {
    let bars = layer.iter().filter(|(_, low, high)| high > low).map(|(at, low, high)| {
        Rectangle::new([(at - width * 0.9, *high), (*at, *low)], curve.color.mix(0.85).filled())
    });
    chart.draw_series(bars)?;
    Ok(())
}

fn draw_area(chart: &mut Chart<'_, '_>, curve: &Curve<'_>, layer: &Layer, width: f64) -> Drawn {
    for part in parts(layer, width) {
        let upper = part.iter().map(|(at, _, high)| (*at, *high));
        let lower = part.iter().rev().map(|(at, low, _)| (*at, *low));
        let outline: Vec<(f64, f64)> = upper.chain(lower).collect();
        chart.draw_series([Polygon::new(outline, curve.color.mix(0.4))])?;
    }
    Ok(())
}

/// A gap in the samples is a gap in the line.
fn draw_line(chart: &mut Chart<'_, '_>, curve: &Curve<'_>, layer: &Layer, width: f64) -> Drawn {
    for part in parts(layer, width) {
        let style = curve.color.stroke_width(2);
        let line = part.iter().map(|(at, _, high)| (*at, *high));
        if curve.is_dashed {
            chart.draw_series(DashedLineSeries::new(line, 8, 6, style))?;
        } else {
            chart.draw_series(LineSeries::new(line, style))?;
        }
    }
    Ok(())
}

/// Runs of samples without a gap and without what is not a number.
fn parts(layer: &Layer, step: f64) -> Vec<Layer> {
    let finite: Layer = layer.iter().copied().filter(|(_, _, value)| value.is_finite()).collect();
    finite.chunk_by(|one, next| next.0 - one.0 < step * 1.5).map(<[_]>::to_vec).collect()
}

/// The ends of the axis of values: those that the panel sets, or a little beyond the data.
fn bounds(picture: &Picture, layers: &[Layer], from_zero: bool) -> (f64, f64) {
    let defaults = &picture.panel.field_config.defaults;
    let values = || layers.iter().flatten().map(|(_, _, value)| *value).filter(|value| value.is_finite());
    let (least, most) = (values().fold(f64::INFINITY, f64::min), values().fold(f64::NEG_INFINITY, f64::max));
    if !least.is_finite() {
        return (0.0, 1.0);
    }
    let room = ((most - least) * 0.08).max(most.abs() * 0.02).max(1e-3);
    let low = if from_zero { 0.0 } else { least - room };
    let low = defaults.min.map_or(low, |min| min.min(least));
    let high = defaults.max.map_or(most + room, |max| max.max(most));
    (low, high.max(low + 1e-3))
}
