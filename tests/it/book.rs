//! The book: `docs/` as a site, built by mdBook. Every page can be found in it, and nothing in it leads nowhere.
//! `BOOK=folder` builds it there and not in a temporary folder; `make docs` does that.

mod instructions;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};
use std::sync::LazyLock;

use mdbook_driver::MDBook;
use regex::Regex;
use walkdir::{DirEntry, WalkDir};

use crate::workspace;

/// Where the chapters are listed.
const SUMMARY: &str = "docs/SUMMARY.md";
/// The list of chapters, which has no text of its own.
const NAVIGATION: &str = "toc.html";
/// Fewest characters of a page that says something.
const SHORTEST: usize = 150;
/// Elements that Markdown becomes; whatever else is in a page was a placeholder such as `<name>` in plain text.
const ELEMENTS: &str = "a blockquote br button code dd del div dl dt em h1 h2 h3 h4 h5 hr img input label li ol p pre span \
    strong sup svg path table tbody td th thead tr ul";

/// The site, built once for all tests.
struct Site {
    /// Paths of all files.
    files: BTreeSet<String>,
    /// The pages, by their paths.
    pages: BTreeMap<String, Page>,
}

/// A page as it was built.
struct Page {
    /// Where its links and pictures point.
    targets: Vec<String>,
    /// What may be pointed at.
    ids: BTreeSet<String>,
    /// What it has beside navigation.
    content: String,
}

static SITE: LazyLock<Site> = LazyLock::new(|| match std::env::var_os("BOOK") {
    Some(folder) => build(&workspace::path(PathBuf::from(folder))),
    None => build(tempfile::tempdir().expect("a temporary folder should be possible").path()),
});

fn build(into: &Path) -> Site {
    let mut book = MDBook::load(workspace::path("")).expect("the book should load");
    into.clone_into(&mut book.config.build.build_dir);
    book.build().expect("the book should build");
    let files = files_below(into);
    let pages = files.iter().filter(|file| workspace::has_extension(file, "html") && *file != NAVIGATION);
    let pages: BTreeMap<String, Page> = pages.map(|file| (file.clone(), read(&into.join(file)))).collect();
    assert!(pages.len() > 60, "the pages should be built, not only {:?}", pages.keys());
    Site { files, pages }
}

fn read(file: &Path) -> Page {
    let html = std::fs::read_to_string(file).expect("a page should be text");
    let (_, rest) = html.split_once("<main>").expect("a page should have a main part");
    let content = rest.split_once("</main>").expect("the main part should end").0.to_owned();
    let targets = found(r#"\s(?:href|src)="([^"]+)""#, &html).map(|target| target.replace("&amp;", "&"));
    Page { targets: targets.collect(), ids: found(r#"\sid="([^"]+)""#, &html).collect(), content }
}

/// What the group of an expression finds.
fn found(expression: &str, text: &str) -> impl Iterator<Item = String> {
    let expression = Regex::new(expression).expect("the expression should be valid");
    let all: Vec<String> = expression.captures_iter(text).map(|found| found[1].to_owned()).collect();
    all.into_iter()
}

fn files_below(folder: &Path) -> BTreeSet<String> {
    let entries = WalkDir::new(folder).into_iter().filter_map(Result::ok);
    let files = entries.filter(|entry| entry.file_type().is_file());
    let relative = |entry: DirEntry| {
        let below = entry.path().strip_prefix(folder).expect("a file should be below its folder");
        below.to_string_lossy().into_owned()
    };
    files.map(relative).collect()
}

/// Everything in parentheses after a bracket.
fn links(markdown: &str) -> impl Iterator<Item = String> {
    found(r"\]\(([^()\s]+)\)", markdown)
}

#[test]
fn every_page_is_in_the_summary_once() {
    let listed: Vec<String> = links(&workspace::read(SUMMARY)).map(|page| format!("docs/{page}")).collect();
    let pages: BTreeSet<String> =
        workspace::files("docs").into_iter().filter(|file| is_page(file) && file != SUMMARY).collect();
    let names: BTreeSet<String> = listed.iter().cloned().collect();
    let differing: Vec<&String> = names.symmetric_difference(&pages).collect();
    assert!(differing.is_empty(), "only in {SUMMARY}, or not in it: {differing:?}");
    assert_eq!(listed.len(), pages.len(), "{SUMMARY} names a page twice");
}

fn is_page(file: &str) -> bool {
    workspace::has_extension(file, "md")
}

#[test]
fn every_link_of_the_book_leads_somewhere() {
    let mut broken = Vec::new();
    for (name, page) in &SITE.pages {
        let targets = page.targets.iter().filter(|target| !is_elsewhere(target) && !is_there(name, target));
        broken.extend(targets.map(|target| format!("{name}: {target}")));
    }
    assert!(broken.is_empty(), "links that lead nowhere:\n{}", broken.join("\n"));
}

fn is_elsewhere(target: &str) -> bool {
    ["http://", "https://", "data:", "mailto:"].iter().any(|scheme| target.starts_with(scheme))
}

/// Whether the site has what a page points at.
fn is_there(page: &str, target: &str) -> bool {
    let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
    let path = path.split('?').next().unwrap_or_default();
    let file = if path.is_empty() { page.to_owned() } else { beside(page, path) };
    let has_anchor = SITE.pages.get(&file).is_some_and(|page| page.ids.contains(anchor));
    if anchor.is_empty() { SITE.files.contains(&file) } else { has_anchor }
}

/// The file that a path means, which is written relative to the folder of a page.
fn beside(page: &str, path: &str) -> String {
    let mut file: PathBuf = Path::new(page).parent().unwrap_or(Path::new("")).to_owned();
    for step in Path::new(path).components() {
        match step {
            Component::ParentDir => assert!(file.pop(), "{page}: {path} leaves the book"),
            Component::Normal(name) => file.push(name),
            Component::CurDir | Component::RootDir | Component::Prefix(_) => {}
        }
    }
    file.to_string_lossy().into_owned()
}

#[test]
fn every_page_of_the_book_says_something() {
    let tag = Regex::new("<[^>]*>").expect("the expression should be valid");
    for (name, page) in &SITE.pages {
        let length = tag.replace_all(&page.content, "").trim().chars().count();
        assert!(length >= SHORTEST, "{name} has {length} characters");
        assert_eq!(page.content.matches("<h1").count(), 1, "{name} has one title");
    }
}

#[test]
fn no_placeholder_is_taken_for_markup() {
    let known: BTreeSet<&str> = ELEMENTS.split_whitespace().collect();
    for (name, page) in &SITE.pages {
        let unknown = found("<([A-Za-z][A-Za-z0-9_-]*)", &page.content);
        let unknown: Vec<String> = unknown.filter(|element| !known.contains(element.as_str())).collect();
        assert!(unknown.is_empty(), "{name}: no markup, so put it between back-ticks: {unknown:?}");
    }
}

/// Links of pages outside the book, into it and beside it.
#[test]
fn every_link_of_the_repository_leads_somewhere() {
    let folders = ["charts", "dashboards", "tools", "tests/bad_input", "examples"];
    let pages = folders.iter().flat_map(|folder| workspace::files(folder)).filter(|file| is_page(file));
    let own = pages.filter(|file| !file.contains("/node_modules/") && !file.contains("/.venv/"));
    let root = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md"];
    for page in own.chain(root.map(str::to_owned)) {
        for link in links(&workspace::read(&page)).filter(|link| !is_elsewhere(link)) {
            let (path, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let file = beside(&page, path);
            assert!(workspace::path(&file).exists(), "{page}: {link}");
            let html = file.strip_prefix("docs/").map(|file| file.replace(".md", ".html"));
            let is_found = html.is_some_and(|html| is_there(&html, &format!("#{anchor}")));
            assert!(anchor.is_empty() || is_found, "{page}: {link} names no heading of the book");
        }
    }
}
