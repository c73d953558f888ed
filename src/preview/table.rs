//! Panels of type `table`: a line for each set of labels, with the values of all queries.

use std::collections::BTreeMap;

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};
use serde_json::Value;

use super::canvas::{Area, Drawn, pixels};
use super::data::Picture;
use super::style::{self, FAINT, INK, LINE};
use super::{figure, units};
use crate::foreign::dashboard::FieldDefaults;

/// Pixels of a line.
const HEIGHT: i32 = 24;

pub(super) fn draw(area: &Area<'_>, picture: &Picture) -> Drawn {
    let labels = labels(picture);
    let values = picture.answers.iter().map(|answer| renamed(picture, &answer.target.ref_id));
    let heads: Vec<String> = labels.iter().cloned().chain(values).collect();
    let (width, height) = (pixels(area.dim_in_pixel().0), pixels(area.dim_in_pixel().1));
    let column = width / i32::try_from(heads.len().max(1)).unwrap_or(1);
    for (left, head) in (0..).map(|number| number * column).zip(&heads) {
        area.draw_text(head, &style::bold(12, FAINT), (left + 6, 4))?;
    }
    for (top, row) in (1..height / HEIGHT).map(|number| number * HEIGHT).zip(sorted(rows(picture, &labels))) {
        area.draw(&PathElement::new([(0, top), (width, top)], LINE))?;
        let cells = cells(picture, &heads, &row);
        for (left, (text, color)) in (0..).map(|number| number * column).zip(cells) {
            let style = style::placed(&style::text(13, color), HPos::Left, VPos::Center);
            area.draw_text(&style::fitted(&text, 13, column - 10), &style, (left + 6, top + HEIGHT / 2))?;
        }
    }
    Ok(())
}

/// Values of labels, and of queries.
type Row = (Vec<String>, Vec<Option<f64>>);

/// The least of the first value first, as it is the worst.
fn sorted(rows: BTreeMap<Vec<String>, Vec<Option<f64>>>) -> Vec<Row> {
    let first = |row: &Row| row.1.first().copied().flatten().unwrap_or(f64::INFINITY);
    let mut rows: Vec<Row> = rows.into_iter().collect();
    rows.sort_by(|one, other| first(one).total_cmp(&first(other)).then_with(|| one.0.cmp(&other.0)));
    rows
}

/// Text and colour of each cell of a row.
fn cells(picture: &Picture, heads: &[String], (names, numbers): &Row) -> Vec<(String, RGBColor)> {
    let names = names.iter().map(|name| (name.clone(), INK));
    let number = |(head, value): (&String, &Option<f64>)| {
        let defaults = of_column(picture, head);
        value.map_or_else(
            || (String::new(), INK),
            |value| {
                let text = units::text(value, &defaults.unit, defaults.decimals);
                (text, figure::color(&defaults, value))
            },
        )
    };
    let numbers = heads.iter().skip(names.len()).zip(numbers).map(number);
    names.chain(numbers).collect()
}

/// Labels in the order that the panel gives them.
fn labels(picture: &Picture) -> Vec<String> {
    let first = picture.answers.iter().flat_map(|answer| &answer.series).next();
    let mut labels: Vec<String> =
        first.into_iter().flat_map(|series| series.labels.keys().cloned()).collect();
    let place = |label: &String| organized(picture, "indexByName")[label].as_u64().unwrap_or(u64::MAX);
    labels.sort_by_key(|label| (place(label), label.clone()));
    labels
}

fn organized<'a>(picture: &'a Picture, what: &str) -> &'a Value {
    let organize = picture.panel.transformations.iter().find(|one| one["id"] == "organize");
    organize.map_or(&Value::Null, |organize| &organize["options"][what])
}

fn renamed(picture: &Picture, ref_id: &str) -> String {
    let own = organized(picture, "renameByName")[&format!("Value #{ref_id}")].as_str();
    own.unwrap_or("value").to_owned()
}

fn rows(picture: &Picture, labels: &[String]) -> BTreeMap<Vec<String>, Vec<Option<f64>>> {
    let mut rows: BTreeMap<Vec<String>, Vec<Option<f64>>> = BTreeMap::new();
    for (number, answer) in picture.answers.iter().enumerate() {
        for series in &answer.series {
            let name = |label: &String| series.labels.get(label).cloned().unwrap_or_default();
            let row = rows.entry(labels.iter().map(name).collect());
            row.or_insert_with(|| vec![None; picture.answers.len()])[number] = series.last();
        }
    }
    rows
}

/// How the values of a column are shown: by an override, also by one for several columns.
fn of_column(picture: &Picture, head: &str) -> FieldDefaults {
    let mut defaults = picture.panel.field_config.defaults.clone();
    if let Some(unit) = picture.property(head, "unit").and_then(Value::as_str) {
        unit.clone_into(&mut defaults.unit);
    }
    defaults.decimals = picture
        .property(head, "decimals")
        .and_then(Value::as_u64)
        .and_then(|decimals| usize::try_from(decimals).ok())
        .or(defaults.decimals);
    if let Some(Ok(thresholds)) = picture.property(head, "thresholds").cloned().map(serde_json::from_value) {
        defaults.thresholds = thresholds;
    }
    defaults
}
