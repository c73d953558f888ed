//! A Grafana dashboard in the classic JSON model: the slice of it that can be drawn without Grafana.

use serde::Deserialize;
use serde_json::Value;

/// A dashboard.
#[derive(Clone, Debug, Deserialize, PartialEq)]
pub struct Dashboard {
    /// Its title.
    pub title: String,
    /// Names of what kind of dashboard it is.
    #[serde(default)]
    pub tags: Vec<String>,
    /// Panels in reading order.
    pub panels: Vec<Panel>,
    /// What the viewer chooses.
    #[serde(default)]
    pub templating: Templating,
    /// Moments that are marked on every panel.
    #[serde(default)]
    pub annotations: Annotations,
}

/// Moments that are marked on every panel.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
pub struct Annotations {
    /// Kinds of them.
    pub list: Vec<Annotation>,
}

/// A kind of moments that are marked.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Annotation {
    /// Its name.
    pub name: String,
    /// Grafana's name of the colour, or its code.
    pub icon_color: String,
    /// Whom it asks.
    pub datasource: Datasource,
    /// What it asks; none for what Grafana itself keeps.
    #[serde(default)]
    pub target: AnnotationTarget,
}

/// What an annotation asks.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
pub struct AnnotationTarget {
    /// A query that yields something at the moments that are meant.
    #[serde(default)]
    pub expr: String,
}

/// What the viewer chooses.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
pub struct Templating {
    /// Variables, each of which may use those before it.
    pub list: Vec<Variable>,
}

/// Something that the viewer chooses.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Variable {
    /// Its name in queries.
    pub name: String,
    /// `query`, `custom`, `textbox` or `datasource`.
    #[serde(rename = "type")]
    pub kind: String,
    /// What it lists: for a `query` in field `query` of an object.
    #[serde(default)]
    pub query: Value,
    /// What is chosen at first.
    #[serde(default)]
    pub current: Value,
    /// What stands for all of them, where all may be chosen.
    #[serde(default)]
    pub all_value: Option<String>,
}

/// A panel, or the title of a row of panels.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Panel {
    /// What it shows.
    pub title: String,
    /// How it shows it.
    #[serde(rename = "type")]
    pub kind: String,
    /// Where it is.
    pub grid_pos: GridPos,
    /// Shortest step between two samples.
    #[serde(default)]
    pub interval: Option<String>,
    /// Queries.
    #[serde(default)]
    pub targets: Vec<Target>,
    /// How values are shown.
    #[serde(default)]
    pub field_config: FieldConfig,
    /// What the kind of panel adds.
    #[serde(default)]
    pub options: Value,
    /// How tables are arranged.
    #[serde(default)]
    pub transformations: Vec<Value>,
}

/// A place in a grid of 24 columns.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
pub struct GridPos {
    /// Columns from the left.
    pub x: u32,
    /// Rows from the top.
    pub y: u32,
    /// Columns.
    pub w: u32,
    /// Rows.
    pub h: u32,
}

/// A query.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Target {
    /// The query; none where the data source is asked in another way.
    #[serde(default)]
    pub expr: String,
    /// Template for the names of the series.
    #[serde(default)]
    pub legend_format: String,
    /// Its name in the panel.
    pub ref_id: String,
    /// Whether it is asked for one moment.
    #[serde(default)]
    pub instant: bool,
    /// Whom it asks.
    pub datasource: Datasource,
}

/// Whom a query asks.
#[derive(Clone, Debug, Deserialize, PartialEq)]
pub struct Datasource {
    /// Its kind, for example `prometheus`.
    #[serde(rename = "type")]
    pub kind: String,
}

/// How values are shown.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
pub struct FieldConfig {
    /// All of them.
    #[serde(default)]
    pub defaults: FieldDefaults,
    /// Some of them.
    #[serde(default)]
    pub overrides: Vec<Override>,
}

/// How values are shown.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct FieldDefaults {
    /// Grafana's name of the unit.
    #[serde(default)]
    pub unit: String,
    /// Digits after the point.
    #[serde(default)]
    pub decimals: Option<usize>,
    /// Lower end of the axis.
    #[serde(default)]
    pub min: Option<f64>,
    /// Upper end of the axis.
    #[serde(default)]
    pub max: Option<f64>,
    /// How values are coloured.
    #[serde(default)]
    pub color: Color,
    /// What is shown where there is no value.
    #[serde(default)]
    pub no_value: Option<String>,
    /// Values from which on another colour is used.
    #[serde(default)]
    pub thresholds: Thresholds,
    /// What kinds of panels add.
    #[serde(default)]
    pub custom: Value,
}

/// How values are coloured.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Color {
    /// Grafana's name of the colour that all have.
    #[serde(default)]
    pub fixed_color: Option<String>,
}

/// Values from which on another colour is used.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
pub struct Thresholds {
    /// In ascending order; the first has no value and is the base.
    pub steps: Vec<Step>,
}

/// A value from which on a colour is used.
#[derive(Clone, Debug, Deserialize, PartialEq)]
pub struct Step {
    /// Grafana's name of the colour.
    pub color: String,
    /// The value; none for the base.
    pub value: Option<f64>,
}

/// How some values are shown.
#[derive(Clone, Debug, Deserialize, PartialEq)]
pub struct Override {
    /// Which ones.
    pub matcher: Matched,
    /// What is different.
    pub properties: Vec<Property>,
}

/// Which values are meant.
#[derive(Clone, Debug, Deserialize, PartialEq)]
pub struct Matched {
    /// How they are found, for example `byName`.
    pub id: String,
    /// What is looked for.
    #[serde(default)]
    pub options: Value,
}

/// What is different.
#[derive(Clone, Debug, Deserialize, PartialEq)]
pub struct Property {
    /// Its path, for example `custom.axisPlacement`.
    pub id: String,
    /// The other value.
    #[serde(default)]
    pub value: Value,
}
