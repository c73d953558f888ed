//! From the text to its families of metrics, with a finding for every line that is none of it.

use std::collections::BTreeMap;

use super::Finding;

/// Suffixes of samples that belong to a family of another name.
const SUFFIXES: [&str; 6] = ["_bucket", "_count", "_sum", "_total", "_created", "_info"];

/// What a text exposes.
#[derive(Clone, Debug, Default)]
pub struct Exposition {
    /// Families by their name, as `TYPE` has it, or as the samples have it where there is none.
    pub families: BTreeMap<String, Family>,
}

/// One metric with its series.
#[derive(Clone, Debug, Default)]
pub struct Family {
    /// First line that speaks of it.
    pub line: usize,
    /// Its type, and the line that says so.
    pub type_: Option<(String, usize)>,
    /// Whether it is explained.
    pub has_help: bool,
    /// Its samples, in the order of lines.
    pub samples: Vec<Sample>,
}

/// One sample.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// Its line.
    pub line: usize,
    /// Its name, with `_bucket`, `_count` and the like.
    pub name: String,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Its value.
    pub value: f64,
}

impl Exposition {
    /// The family of a metric. `OpenMetrics` names a counter without `_total`, and who asks for the count of
    /// a histogram means the histogram.
    #[must_use]
    pub fn family(&self, metric: &str) -> Option<&Family> {
        let bases = ["_total", "_count", "_sum"].into_iter().filter_map(|suffix| metric.strip_suffix(suffix));
        std::iter::once(metric).chain(bases).find_map(|name| self.families.get(name))
    }
}

/// Reads a text.
#[must_use]
pub fn read(text: &str) -> (Exposition, Vec<Finding>) {
    let mut reader = Reader::default();
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim();
        match line.strip_prefix('#') {
            Some(comment) => reader.comment(number, comment.trim_start()),
            None if line.is_empty() => {}
            None => reader.sample(number, line),
        }
    }
    (reader.exposition, reader.findings)
}

#[derive(Default)]
struct Reader {
    exposition: Exposition,
    findings: Vec<Finding>,
}

impl Reader {
    fn comment(&mut self, line: usize, comment: &str) {
        let (keyword, rest) = comment.split_once(' ').unwrap_or((comment, ""));
        if !matches!(keyword, "HELP" | "TYPE") {
            return;
        }
        let Some((name, rest)) = metadata_name(rest.trim_start()) else {
            let message = format!("{keyword} without a metric; write `# {keyword} name ...`");
            self.findings.push(Finding::new(line, "", message));
            return;
        };
        let family = self.exposition.families.entry(name.clone()).or_default();
        if family.line == 0 {
            family.line = line;
        }
        let (is_again, is_late) = match keyword {
            "HELP" => (std::mem::replace(&mut family.has_help, true), false),
            _ => (family.type_.replace((rest.to_lowercase(), line)).is_some(), !family.samples.is_empty()),
        };
        if is_again {
            let message = format!("{keyword} is given twice; give it once, before the samples");
            self.findings.push(Finding::new(line, &name, message));
        }
        if is_late {
            let message = "TYPE stands after samples of the metric; put it before them";
            self.findings.push(Finding::new(line, &name, message));
        }
    }

    fn sample(&mut self, line: usize, text: &str) {
        let Some(sample) = parse_sample(line, text) else {
            let shown: String = text.chars().take(60).collect();
            let message = format!("'{shown}' is no sample; write `name{{label=\"value\"}} number`");
            self.findings.push(Finding::new(line, "", message));
            return;
        };
        let name = self.family_of(&sample.name);
        let family = self.exposition.families.entry(name.clone()).or_default();
        if family.line == 0 {
            family.line = line;
        }
        family.samples.push(sample);
    }

    /// The family that a sample belongs to: one that was declared, else one of its own name.
    fn family_of(&self, sample: &str) -> String {
        let declared =
            |name: &str| self.exposition.families.get(name).is_some_and(|family| family.type_.is_some());
        if declared(sample) {
            return sample.to_owned();
        }
        let bases = SUFFIXES.iter().filter_map(|suffix| sample.strip_suffix(suffix));
        bases.into_iter().find(|base| declared(base)).unwrap_or(sample).to_owned()
    }
}

/// The name at the start of what follows `HELP` or `TYPE`, quoted where it has dots, and the rest.
fn metadata_name(text: &str) -> Option<(String, String)> {
    if text.starts_with('"') {
        let (name, rest) = quoted(text)?;
        return Some((name, rest.trim().to_owned()));
    }
    let (name, rest) = text.split_once(' ').unwrap_or((text, ""));
    (!name.is_empty()).then(|| (name.to_owned(), rest.trim().to_owned()))
}

/// A text in double quotes, with its escapes undone, and what follows it.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut characters = text.strip_prefix('"')?.char_indices();
    while let Some((index, character)) = characters.next() {
        match character {
            '"' => return Some((value, &text[index + 2..])),
            '\\' => match characters.next()?.1 {
                'n' => value.push('\n'),
                other => value.push(other),
            },
            other => value.push(other),
        }
    }
    None
}

fn parse_sample(line: usize, text: &str) -> Option<Sample> {
    let end =
        text.find(|character: char| character == '{' || character.is_whitespace()).unwrap_or(text.len());
    let (mut name, rest) = (text[..end].to_owned(), text[end..].trim_start());
    let (labels, rest) = match rest.strip_prefix('{') {
        Some(inside) => parse_labels(inside, &mut name)?,
        None => (BTreeMap::new(), rest),
    };
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b':' | b'.' | b'-' | b'/');
    let is_named = !name.is_empty() && name.bytes().all(|byte| is_name(byte) || !byte.is_ascii());
    // What follows may be a timestamp and, after a mark, an exemplar; neither is of interest here.
    let mut numbers = rest.split_once(" #").map_or(rest, |(before, _)| before).split_whitespace();
    let value = parse_number(numbers.next()?)?;
    let is_sound = numbers.next().is_none_or(|time| time.parse::<f64>().is_ok()) && numbers.next().is_none();
    (is_named && is_sound).then_some(Sample { line, name, labels, value })
}

fn parse_labels<'a>(mut text: &'a str, name: &mut String) -> Option<(BTreeMap<String, String>, &'a str)> {
    let mut labels = BTreeMap::new();
    loop {
        text = text.trim_start_matches(|character: char| character == ',' || character.is_whitespace());
        if let Some(rest) = text.strip_prefix('}') {
            return Some((labels, rest.trim_start()));
        }
        let (label, rest) = if text.starts_with('"') {
            quoted(text)?
        } else {
            let end = text.find(['=', ',', '}'])?;
            (text[..end].trim().to_owned(), &text[end..])
        };
        match rest.trim_start().strip_prefix('=') {
            Some(value) => {
                let (value, rest) = quoted(value.trim_start())?;
                labels.insert(label, value);
                text = rest;
            }
            // A text alone is the name of a metric that needs quotes.
            None if name.is_empty() => {
                *name = label;
                text = rest;
            }
            None => return None,
        }
    }
}

fn parse_number(text: &str) -> Option<f64> {
    match text {
        "+Inf" | "Inf" => Some(f64::INFINITY),
        "-Inf" => Some(f64::NEG_INFINITY),
        "NaN" | "Nan" => Some(f64::NAN),
        other => other.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(text: &str) -> Vec<String> {
        let (exposition, findings) = read(text);
        let families = exposition.families.iter().flat_map(|(name, family)| {
            family
                .samples
                .iter()
                .map(move |sample| format!("{name}: {} {:?} {}", sample.name, sample.labels, sample.value))
        });
        families.chain(findings.iter().map(|finding| format!("!{finding}"))).collect()
    }

    #[test]
    fn both_formats_are_read() {
        let text = "# HELP a_total What.\n# TYPE a_total counter\na_total{x=\"1\\\"}\",y=\"\"} 3 1700000000000\r\n\
            # TYPE b counter\nb_total 2 # {trace_id=\"z\"} 1 2\nb_created 1\n\
            # TYPE c histogram\nc_bucket{le=\"+Inf\"} 1\nc_sum +Inf\n# EOF\n\n# anything\n";
        assert_eq!(
            samples(text),
            [
                r#"a_total: a_total {"x": "1\"}", "y": ""} 3"#,
                "b: b_total {} 2",
                "b: b_created {} 1",
                r#"c: c_bucket {"le": "+Inf"} 1"#,
                "c: c_sum {} inf",
            ]
        );
        let dotted = "# TYPE \"gen_ai.calls\" counter\n{\"gen_ai.calls\",\"error.type\"=\"x\"} 1\n";
        assert_eq!(samples(dotted), [r#"gen_ai.calls: gen_ai.calls {"error.type": "x"} 1"#]);
    }

    #[test]
    fn what_is_no_sample_is_said_with_its_line() {
        for text in ["<html>", "a{x=\"1\" 2", "a{x=1} 2", "a b", "a", "{} 1", "a 3 of 4", "a 1 2 3", "# TYPE"]
        {
            let said = samples(&format!("\n{text}\n"));
            assert!(said.len() == 1 && said[0].starts_with("!2: "), "{text}: {said:?}");
        }
    }
}
