//! Roles that jobs cannot act as, and queues that they do not fit.
//!
//! <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-iam-roles.html> and `task_execution_IAM_role.html` beside it:
//! both roles of a task trust `ecs-tasks.amazonaws.com`.

use serde_json::Value;

use super::Spec;
use crate::kind::{Beside, Clash};
use crate::kinds::batch::fit;
use crate::kinds::iam::role::trust;
use crate::resource::ResourceId;

/// The fields that name a role of a task, wherever they stand.
const ROLES: &[&str] = &["executionRoleArn", "jobRoleArn", "taskRoleArn"];

pub(super) fn clashes(spec: &Spec, id: &ResourceId, beside: &Beside<'_>) -> Vec<Clash> {
    let mut roles = Vec::new();
    of_tasks(&serde_json::to_value(spec).unwrap_or_default(), "", &mut roles);
    let kept_out =
        |(path, text): &(String, String)| trust::keeps_out(path, text, &["ecs-tasks.amazonaws.com"], beside);
    roles.iter().filter_map(kept_out).chain(fit::clashes(spec, id, beside)).collect()
}

/// The roles of tasks in a document, each with its path.
fn of_tasks(value: &Value, path: &str, found: &mut Vec<(String, String)>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                match value.as_str().filter(|_| ROLES.contains(&name.as_str())) {
                    Some(text) => found.push((path, text.to_owned())),
                    None => of_tasks(value, &path, found),
                }
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                of_tasks(item, &format!("{path}[{index}]"), found);
            }
        }
        _ => {}
    }
}
