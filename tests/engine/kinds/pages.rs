//! What is written from the registry is as the registry says: `docs/kinds/` and `docs/schema/`.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use batchwright::kind::Facts;
use batchwright::manifest;
use batchwright::render::page;

use super::facts;
use crate::world::golden::{blessing, differing};

const PAGES: &str = "docs/kinds";

#[test]
fn the_pages_of_kinds_are_as_the_kinds_say() {
    let all: Vec<&Facts> = facts().collect();
    let mut pages = BTreeMap::from([("README.md".to_owned(), page::index(&all))]);
    pages.extend(all.into_iter().map(|facts| (page::file(facts), page::of(facts))));
    let mut stale: Vec<String> = pages
        .iter()
        .filter(|(file, text)| differing(Path::new(PAGES).join(file), text).is_some())
        .map(|it| it.0.clone())
        .collect();
    for entry in fs::read_dir(PAGES).unwrap() {
        let entry = entry.unwrap();
        if pages.contains_key(entry.file_name().to_str().unwrap()) {
            continue;
        }
        match blessing() {
            true => fs::remove_file(entry.path()).unwrap(),
            false => stale.push(format!("{} is of no kind", entry.path().display())),
        }
    }
    assert!(stale.is_empty(), "stale in {PAGES}: {stale:?}; run BLESS=1 cargo test --test engine kinds");
}

#[test]
fn the_schema_for_editors_is_as_the_kinds_say() {
    let text = serde_json::to_string_pretty(&manifest::schema()).unwrap() + "\n";
    let file = Path::new("docs/schema/manifest.json");
    assert!(
        differing(file, &text).is_none(),
        "{} is stale; run BLESS=1 cargo test --test engine kinds",
        file.display()
    );
}

#[test]
fn every_field_is_on_its_kinds_page() {
    for facts in facts() {
        let page = page::of(facts);
        for property in super::properties(facts) {
            let name = property.path.rsplit('.').next().unwrap();
            assert!(page.contains(&format!("| `{name}` |")), "{}: {}", facts.name, property.path);
        }
    }
}
