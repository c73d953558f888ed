//! Colours, fonts and sizes. Of a font only its name is known, so widths of text are estimates.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

/// Pixels of a column and a row of the grid.
pub(super) const COLUMN: u32 = 50;
pub(super) const ROW: u32 = 30;
/// Pixels between two panels, and of the head of the picture.
pub(super) const GAP: u32 = 8;
pub(super) const HEAD: u32 = 56;

pub(super) const INK: RGBColor = RGBColor(36, 41, 46);
pub(super) const FAINT: RGBColor = RGBColor(110, 118, 128);
pub(super) const LINE: RGBColor = RGBColor(225, 228, 232);
pub(super) const PAGE: RGBColor = RGBColor(244, 245, 245);

pub(super) const GREEN: RGBColor = RGBColor(47, 158, 68);
const ORANGE: RGBColor = RGBColor(240, 140, 0);
pub(super) const RED: RGBColor = RGBColor(224, 49, 49);
const BLUE: RGBColor = RGBColor(50, 116, 217);

/// One for each series, told apart by those who see fewer colours, too (after Okabe and Ito).
const PALETTE: [RGBColor; 8] = [
    RGBColor(0, 114, 178),
    RGBColor(230, 159, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(86, 180, 233),
    RGBColor(213, 94, 0),
    RGBColor(120, 94, 240),
    RGBColor(148, 138, 30),
];

/// The colour of a series by its number.
pub(super) fn palette(number: usize) -> RGBColor {
    PALETTE[number % PALETTE.len()]
}

/// The colour that Grafana calls so.
pub(super) fn named(color: &str) -> RGBColor {
    match color {
        "green" => GREEN,
        "orange" => ORANGE,
        "red" => RED,
        "blue" => BLUE,
        _ => FAINT,
    }
}

/// Text of a size and colour, placed by its top left corner.
pub(super) fn text(size: u32, color: RGBColor) -> TextStyle<'static> {
    ("sans-serif", size).into_font().color(&color).pos(Pos::new(HPos::Left, VPos::Top))
}

/// The same in bold.
pub(super) fn bold(size: u32, color: RGBColor) -> TextStyle<'static> {
    ("sans-serif", size).into_font().style(FontStyle::Bold).color(&color).pos(Pos::new(HPos::Left, VPos::Top))
}

/// The same, placed by another of its points.
pub(super) fn placed(style: &TextStyle<'static>, horizontal: HPos, vertical: VPos) -> TextStyle<'static> {
    style.pos(Pos::new(horizontal, vertical))
}

/// About how wide a text is.
pub(super) fn width(text: &str, size: u32) -> i32 {
    let letters = i32::try_from(text.chars().count()).unwrap_or(i32::MAX / 100);
    letters * i32::try_from(size).unwrap_or(12) * 21 / 40
}

/// The text, cut where it would be wider than so many pixels.
pub(super) fn fitted(text: &str, size: u32, most: i32) -> String {
    if width(text, size) <= most {
        return text.to_owned();
    }
    let letters = usize::try_from(most * 40 / 21 / i32::try_from(size).unwrap_or(12)).unwrap_or_default();
    text.chars().take(letters.saturating_sub(1)).chain(['…']).collect()
}
