//! The policy of a file system: EFS writes the file system's own ARN into each statement that names no resource
//! (aws/aws-cdk#30753), and there is no other that such a policy could speak of.

use serde_json::Value;

use crate::value::{Policy, policy};

/// Leaves out of each statement a resource that is the file system itself, however that is said.
pub(super) fn without_own_resource(document: &mut Policy) {
    if let Value::String(text) = &document.0
        && let Some(parsed) = policy::object(text)
    {
        document.0 = parsed;
    }
    let statements = document.0.get_mut("Statement");
    let statements: Vec<&mut Value> = match statements {
        Some(Value::Array(all)) => all.iter_mut().collect(),
        Some(one) => vec![one],
        None => Vec::new(),
    };
    for statement in statements {
        if let Some(fields) = statement.as_object_mut()
            && fields.get("Resource").is_some_and(is_own)
        {
            fields.remove("Resource");
        }
    }
}

fn is_own(resource: &Value) -> bool {
    match resource {
        Value::String(text) => text == "*" || is_file_system(text),
        Value::Array(all) => matches!(all.as_slice(), [one] if is_own(one)),
        _ => false,
    }
}

/// The ARN of a file system, or a reference to one.
fn is_file_system(text: &str) -> bool {
    let is_arn =
        text.starts_with("arn:") && text.contains(":elasticfilesystem:") && text.contains(":file-system/");
    is_arn || (text.starts_with("${efs/FileSystem/") && text.ends_with(".arn}"))
}
