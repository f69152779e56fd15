//! What has to hold between resources of one service: rules that stand in that service's folder.

use crate::kind::Rule;
use crate::plan::guards::final_state::held;
use crate::plan::guards::input::Input;
use crate::plan::model::Objection;

/// What the rules between resources say of the end, each of the kinds that have some.
pub fn objections(input: &Input<'_>) -> Vec<Objection> {
    let end = &input.end;
    let rules = input.scope.kinds.iter().flat_map(|kind| kind.facts().rules_between);
    let findings = rules.flat_map(|rule: &&dyn Rule| rule.findings(end));
    findings.map(|finding| held(end, &finding.id, finding.message)).collect()
}
