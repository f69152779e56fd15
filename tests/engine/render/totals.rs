//! The last line of a plan and of a drift report that something speaks against.

use batchwright::plan::{Objection, Objector};
use batchwright::render::{Paint, drift, markdown, plan};

use super::{example, plan_of};

fn objection(id: &str, objector: Objector) -> Objection {
    Objection { id: id.parse().unwrap(), objector, message: "something".into(), position: None }
}

fn last(text: &str) -> &str {
    text.lines().last().unwrap()
}

#[test]
fn a_refused_plan_is_not_told_as_one_without_changes() {
    let taken = || objection("iam/Role/taken", Objector::Owner);
    let refused = plan_of(vec![], vec![taken()]);
    assert_eq!(last(&plan(&refused, Paint::none())), "Refused: 1 objection. 21 resources are as declared.");
    assert!(markdown(&refused).contains("⛔ **Refused: 1 objection. 21 resources are as declared.**"));
    assert_eq!(
        last(&drift(&refused, Paint::none())),
        "Drift: 0 missing, 0 different, 0 not declared, 1 in the way, 21 as declared."
    );
    let both = plan_of(example().changes, vec![taken(), objection("iam/Role/job", Objector::Protected)]);
    assert_eq!(
        last(&plan(&both, Paint::none())),
        "Plan: 1 to add, 2 to change, 1 to replace, 1 to delete. Refused: 2 objections."
    );
}

#[test]
fn what_is_to_be_done_first_is_counted() {
    let first = plan_of(vec![], vec![objection("batch/JobDefinition/job", Objector::Image)]);
    assert_eq!(
        last(&plan(&first, Paint::none())),
        "No changes. 21 resources are as declared. Before it can be applied: 1 thing to do."
    );
}

#[test]
fn where_nothing_is_nothing_is_said_to_be_as_declared() {
    let mut nothing = plan_of(vec![], vec![]);
    nothing.unchanged = 0;
    assert_eq!(last(&plan(&nothing, Paint::none())), "No changes.");
    assert_eq!(last(&drift(&nothing, Paint::none())), "No drift.");
}
