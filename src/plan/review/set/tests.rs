use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::diff::{ChangeRule, FieldChange};
use crate::kind::{Manner, Reason};
use crate::plan::Digests;
use crate::plan::review::Expected;
use crate::resource::{Owner, Place};

fn change(name: &str, value: u8) -> Change {
    let id = ResourceId::new("logs/LogGroup", name);
    let field = FieldChange {
        path: "retentionInDays".to_owned(),
        before: Some(json!(1)),
        after: Some(json!(value)),
        rule: ChangeRule::InPlace,
        sensitive: false,
    };
    let change = Change {
        id,
        action: Action::Update,
        effect: Some(Effect::Update(Manner::InPlace)),
        reason: Reason::default(),
        physical: name.to_owned(),
        fields: vec![field],
        unchanged: 0,
        position: None,
        digests: Digests::default(),
    };
    change.with_digests()
}

fn plan(changes: Vec<Change>) -> Plan {
    Plan {
        environment: "dev".to_owned(),
        owner: Owner("acme/jobs/dev".to_owned()),
        place: Place::new("111111111111", "eu-west-1"),
        changes,
        steps: Vec::new(),
        objections: Vec::new(),
        warnings: Vec::new(),
        notes: Vec::new(),
        due: Vec::new(),
        impact: Vec::new(),
        looked_up: Vec::new(),
        unchanged: 0,
        keeps: BTreeMap::new(),
    }
}

fn changes() -> impl Strategy<Value = BTreeMap<String, u8>> {
    proptest::collection::btree_map("[a-z]{1,6}", 2_u8..9, 0..12)
}

fn plan_of(changes: &BTreeMap<String, u8>) -> Plan {
    plan(changes.iter().map(|(name, value)| change(name, *value)).collect())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_set_survives_its_text(changes in changes()) {
        let reviewed = plan_of(&changes).reviewed();
        prop_assert_eq!(reviewed.to_string().parse::<Reviewed>(), Ok(reviewed.clone()));
        let body = format!("<!-- batchwright environment=dev -->\n{}\n## a plan", reviewed.comment());
        prop_assert_eq!(Expected::in_comment(&body), Some(Ok(Expected::Some(reviewed))));
    }

    #[test]
    fn a_text_that_lost_or_changed_a_character_is_refused(changes in changes(), at in any::<prop::sample::Index>(), cut in any::<bool>()) {
        let text = plan_of(&changes).reviewed().to_string();
        let at = MARK.len() + at.index(text.len() - MARK.len());
        let mut damaged = text.clone();
        if cut {
            damaged.truncate(at);
        } else {
            damaged.replace_range(at..=at, if text[at..].starts_with('A') { "B" } else { "A" });
        }
        prop_assert_eq!(damaged.parse::<Reviewed>(), Err(Error::Damaged));
    }

    #[test]
    fn any_part_of_what_was_reviewed_is_good(changes in changes(), keep in proptest::collection::vec(any::<bool>(), 12)) {
        let reviewed = plan_of(&changes).reviewed();
        let part = changes.into_iter().zip(keep).filter(|(_, keep)| *keep).map(|(change, _)| change).collect();
        prop_assert_eq!(reviewed.differences(&plan_of(&part)), vec![]);
    }

    #[test]
    fn everything_else_is_named(before in changes(), after in changes()) {
        let differences = plan_of(&before).reviewed().differences(&plan_of(&after));
        let expected: Vec<Difference> = after
            .iter()
            .filter(|(name, value)| before.get(*name) != Some(value))
            .map(|(name, _)| Difference {
                id: Some(ResourceId::new("logs/LogGroup", name.as_str())),
                mismatch: if before.contains_key(name) { Mismatch::Another } else { Mismatch::NotReviewed },
            })
            .collect();
        prop_assert_eq!(differences, expected);
    }
}

#[test]
fn what_was_reviewed_earlier_is_added_for_the_same_place_only() {
    let (later, earlier) = (plan(vec![change("jobs", 7)]), plan(vec![change("other", 3)]));
    let both = plan(vec![change("jobs", 7), change("other", 3)]);
    let mut reviewed = later.reviewed();
    assert_eq!(reviewed.differences(&both).len(), 1);
    assert!(reviewed.add(&earlier.reviewed()));
    assert_eq!(reviewed.differences(&both), vec![]);
    assert_eq!(reviewed, both.reviewed());
    let mut elsewhere = earlier;
    elsewhere.place = Place::new("222222222222", "eu-west-1");
    let mut reviewed = later.reviewed();
    assert!(!reviewed.add(&elsewhere.reviewed()));
    assert_eq!(reviewed, later.reviewed());
}

#[test]
fn only_the_hidden_first_lines_of_a_comment_are_a_review() {
    let reviewed = plan(vec![change("jobs", 7)]).reviewed();
    let hidden = reviewed.comment();
    let first = format!("<!-- batchwright plan environment=dev head=x -->\n{hidden}\n## a plan\n");
    assert_eq!(Expected::in_comment(&first), Some(Ok(Expected::Some(reviewed))));
    // A manifest can hold such a line, and a comment shows manifests.
    let below = format!("<!-- batchwright plan environment=dev head=x -->\n## a plan\n{hidden}\n");
    assert_eq!(Expected::in_comment(&below), None);
    assert_eq!(
        Reviewed::taken_out_of(&first),
        "<!-- batchwright plan environment=dev head=x -->\n## a plan\n"
    );
}

#[test]
fn only_declared_images_may_move() {
    let with_digests = |images: &[(&str, bool)]| {
        let mut change = change("job", 7);
        change.digests.parts.clear();
        change.digests.images = images.iter().map(|(name, said)| ((*name).to_owned(), *said)).collect();
        change
    };
    let reviewed = plan(vec![]).reviewed();
    let departures = |images: &[(&str, bool)]| -> Vec<Mismatch> {
        reviewed.differences(&plan(vec![with_digests(images)])).into_iter().map(|it| it.mismatch).collect()
    };
    assert_eq!(departures(&[("worker", true)]), vec![]);
    assert_eq!(
        departures(&[("worker", true), ("side", false)]),
        vec![Mismatch::Image(vec!["side".to_owned()])]
    );
    assert_eq!(departures(&[]), vec![Mismatch::NotReviewed]);
}

#[test]
fn another_place_is_another_review() {
    let reviewed = plan(vec![change("jobs", 7)]).reviewed();
    let mut elsewhere = plan(vec![change("jobs", 7)]);
    elsewhere.place = Place::new("222222222222", "eu-west-1");
    assert_eq!(
        reviewed.differences(&elsewhere),
        vec![Difference { id: None, mismatch: Mismatch::Elsewhere }]
    );
}

#[test]
fn a_fingerprint_stands_for_one_plan() {
    let whole = plan(vec![change("jobs", 7), change("old", 3)]);
    let expected: Expected = whole.fingerprint().parse().unwrap();
    assert_eq!(expected.differences(&whole), vec![]);
    let line = hidden(&whole.reviewed_within(80));
    assert_eq!(
        Expected::in_comment(&line),
        Some(Ok(expected.clone())),
        "the set is longer than that: {line}"
    );
    assert_eq!(whole.reviewed_within(10_000), whole.reviewed().to_string());
    let part = plan(vec![change("jobs", 7)]);
    assert_eq!(expected.differences(&part), vec![Difference { id: None, mismatch: Mismatch::Whole }]);
    assert_eq!("latest".parse::<Expected>(), Err(Error::Unknown));
}
