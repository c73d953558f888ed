//! Panels of types `stat` and `gauge`: a large number, coloured by its threshold.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

use super::canvas::{Area, Drawn, pixels};
use super::data::{Named, Picture};
use super::style::{self, FAINT, INK, LINE};
use super::units;
use crate::foreign::dashboard::FieldDefaults;

/// Largest and smallest size of the number.
const LARGEST: u32 = 34;
const SMALLEST: u32 = 14;

pub(super) fn draw(area: &Area<'_>, picture: &Picture) -> Drawn {
    let named = picture.named();
    let parts = area.split_evenly((1, named.len().max(1)));
    let is_gauge = picture.panel.kind == "gauge";
    parts.iter().zip(&named).try_for_each(|(part, one)| {
        if is_gauge {
            draw_gauge(part, picture, one)?;
        }
        draw_number(part, picture, one, named.len() > 1, is_gauge)
    })
}

fn draw_number(area: &Area<'_>, picture: &Picture, one: &Named<'_>, is_named: bool, is_gauge: bool) -> Drawn {
    let Some(value) = one.series.last() else { return super::canvas::say(area, "No data") };
    let defaults = &picture.panel.field_config.defaults;
    let is_name = picture.panel.options["textMode"] == "name";
    let number =
        if is_name { one.name.clone() } else { units::text(value, &defaults.unit, defaults.decimals) };
    let (width, height) = (pixels(area.dim_in_pixel().0), pixels(area.dim_in_pixel().1));
    let size =
        (SMALLEST..=LARGEST).rev().find(|size| style::width(&number, *size) < width - 8).unwrap_or(SMALLEST);
    let size = if is_gauge { size.min(26) } else { size };
    let middle = if is_gauge { height * 2 / 5 } else { height / 2 };
    let large = style::placed(&style::bold(size, color(defaults, value)), HPos::Center, VPos::Center);
    area.draw_text(&number, &large, (width / 2, middle))?;
    if is_named {
        let small = style::placed(&style::text(12, FAINT), HPos::Center, VPos::Bottom);
        area.draw_text(&one.name, &small, (width / 2, height - 2))?;
    }
    Ok(())
}

/// A bar from the least to the greatest value.
fn draw_gauge(area: &Area<'_>, picture: &Picture, one: &Named<'_>) -> Drawn {
    let defaults = &picture.panel.field_config.defaults;
    let (width, height) = (pixels(area.dim_in_pixel().0), pixels(area.dim_in_pixel().1));
    let (low, high) = (defaults.min.unwrap_or(0.0), defaults.max.unwrap_or(1.0));
    let Some(value) = one.series.last() else { return Ok(()) };
    let share = ((value - low) / (high - low)).clamp(0.0, 1.0);
    let (top, bottom) = (height - 22, height - 8);
    area.draw(&Rectangle::new([(6, top), (width - 6, bottom)], LINE.filled()))?;
    #[allow(clippy::cast_possible_truncation, reason = "a share of few pixels")]
    let filled = (f64::from(width - 12) * share) as i32;
    area.draw(&Rectangle::new([(6, top), (6 + filled, bottom)], color(defaults, value).filled()))
}

/// The colour of the last threshold that the value reaches; one threshold alone says nothing.
pub(super) fn color(defaults: &FieldDefaults, value: f64) -> RGBColor {
    let steps = &defaults.thresholds.steps;
    if steps.len() < 2 {
        return INK;
    }
    let reached = steps.iter().rev().find(|step| step.value.is_none_or(|least| value >= least));
    reached.map_or(INK, |step| style::named(&step.color))
}
