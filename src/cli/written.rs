//! The documents of our kinds among all that was written, with the place of each.

use serde_json::Value;

use super::check::Finding;
use super::documents::{self, Document, Lines};
use super::files::Source;
use crate::api::v1alpha1::{AgentObservability, AgentPlatform, AgentSlo, GROUP, VERSION};
use crate::domain::violation::Violation;
use crate::validate::schema::{self, Structure};

/// One document of one of our kinds.
pub(super) struct Written<T> {
    place: Place,
    /// What it says.
    pub(super) structure: Structure<T>,
}

impl<T: Clone> Written<T> {
    /// Its violations of structure, and those of meaning, with their places.
    pub(super) fn findings(&self, meaning: &[Violation]) -> Vec<Finding> {
        let all = self.structure.clone().and(meaning);
        all.into_iter().map(|violation| self.place.finding(&violation.path, violation.message)).collect()
    }
}

/// Where a resource is: the file, and the path of the resource in its document.
#[derive(Clone, Debug)]
struct Place {
    file: usize,
    name: String,
    prefix: String,
    lines: Lines,
}

impl Place {
    fn finding(&self, path: &str, message: String) -> Finding {
        let path = format!("{}{path}", self.prefix);
        let line = self.lines.of(&path);
        Finding { file: self.file, line, path, message, name: self.name.clone() }
    }
}

/// What all files hold.
#[derive(Default)]
pub(super) struct WrittenFiles {
    files: usize,
    /// AgentSLOs.
    pub(super) slos: Vec<Written<AgentSlo>>,
    /// AgentObservabilities.
    pub(super) observabilities: Vec<Written<AgentObservability>>,
    /// AgentPlatforms.
    pub(super) platforms: Vec<Written<AgentPlatform>>,
    /// Number of documents that are ours, or claim to be.
    pub(super) resources: usize,
    /// Number of documents of other kinds.
    pub(super) others: usize,
    /// What is wrong with files and documents as such.
    pub(super) findings: Vec<Finding>,
}

impl WrittenFiles {
    /// None yet, but numbered after those.
    pub(super) fn after(others: &Self) -> Self {
        Self { files: others.files, ..Self::default() }
    }

    /// Takes in files.
    pub(super) fn add(&mut self, sources: Vec<Source>) {
        for source in sources {
            let file = self.files;
            self.files += 1;
            let finding = |line, message| Finding {
                file,
                line,
                path: String::new(),
                message,
                name: source.name.clone(),
            };
            let text = match &source.text {
                Ok(text) => text,
                Err(reason) => {
                    self.findings.push(finding(1, (*reason).to_owned()));
                    continue;
                }
            };
            for document in documents::read(text) {
                match document {
                    Ok(document) => self.add_document(file, &source.name, document),
                    Err(unreadable) => self.findings.push(finding(unreadable.line, unreadable.message)),
                }
            }
        }
    }

    fn add_document(&mut self, file: usize, name: &str, document: Document) {
        let place = Place { file, name: name.to_owned(), prefix: String::new(), lines: document.lines };
        match items(&document.value) {
            None => self.add_resource(place, &document.value),
            Some(items) => {
                for (index, item) in items.iter().enumerate() {
                    self.add_resource(Place { prefix: format!("items[{index}]."), ..place.clone() }, item);
                }
            }
        }
    }

    fn add_resource(&mut self, place: Place, value: &Value) {
        let kind = Kind::of(value);
        match kind {
            Kind::Other => {
                self.others += 1;
                return;
            }
            Kind::Slo => self.slos.push(Written { place, structure: schema::read_slo(value) }),
            Kind::Observability => {
                let structure = schema::read_observability(value);
                self.observabilities.push(Written { place, structure });
            }
            Kind::Platform => self.platforms.push(Written { place, structure: schema::read_platform(value) }),
            Kind::Unknown(path, message) => self.findings.push(place.finding(path, message)),
        }
        self.resources += 1;
    }
}

/// The items of a list, as `kubectl get -o yaml` prints it.
fn items(value: &Value) -> Option<&Vec<Value>> {
    value.get("kind")?.as_str().filter(|kind| kind.ends_with("List"))?;
    value.get("items")?.as_array()
}

enum Kind {
    Slo,
    Observability,
    Platform,
    Other,
    /// Of our group, but none of our kinds: where, and what would be right.
    Unknown(&'static str, String),
}

impl Kind {
    fn of(value: &Value) -> Self {
        let written = |field: &str| value.get(field).and_then(Value::as_str).unwrap_or_default();
        let api_version = written("apiVersion");
        let group = api_version.split('/').next().unwrap_or_default();
        let ours = format!("{GROUP}/{VERSION}");
        if !group.eq_ignore_ascii_case(GROUP) {
            return Self::Other;
        }
        if api_version != ours {
            return Self::Unknown("apiVersion", format!("must be '{ours}'"));
        }
        match written("kind") {
            "AgentSLO" => Self::Slo,
            "AgentObservability" => Self::Observability,
            "AgentPlatform" => Self::Platform,
            _ => {
                let right = "must be 'AgentSLO', 'AgentObservability' or 'AgentPlatform'";
                Self::Unknown("kind", right.to_owned())
            }
        }
    }
}
