//! What is known of a kind without asking AWS: what it says of itself, and what follows from its schema.

use schemars::generate::SchemaSettings;
use serde_json::Value;

use super::{Access, Grant, Grants, Identity, Kind, Ownership, Removal, Rule, Work};
use crate::diff::{Free, Rules};
use crate::field::FREE;
use crate::services::{Service, TagRules};

/// What is known of a kind without asking AWS.
pub struct Facts {
    /// `<service>/<Kind>`.
    pub name: &'static str,
    /// The service: `batch`.
    pub service: &'static str,
    /// One sentence.
    pub about: &'static str,
    /// A manifest.
    pub example: &'static str,
    /// The CloudFormation type.
    pub cloudformation: &'static str,
    /// What tells one resource from another.
    pub identity: Identity,
    /// How we know that it is ours.
    pub ownership: Ownership,
    /// What may be a tag of it.
    pub tags: TagRules,
    /// Whether deleting one destroys data.
    pub holds_data: bool,
    /// The output that says of one whether AWS made it for the account.
    pub default_by: Option<&'static str>,
    /// Whether AWS is asked for each by its name.
    pub read_by_name: bool,
    /// Whether it says what jobs are made of.
    pub defines_jobs: bool,
    /// How it is removed.
    pub removal: Removal,
    /// What jobs have to do with it.
    pub work: Work,
    /// What has to hold between it and others at the end of a plan.
    pub rules_between: &'static [&'static dyn Rule],
    /// Whether tasks that run hold it.
    pub held_by_tasks: bool,
    /// Whether AWS goes on showing now and then what it was, for a while after a write.
    pub shown_late: bool,
    /// How many characters a name may have.
    pub longest_name: usize,
    /// Whether names that differ only in case are one name.
    pub caseless_names: bool,
    /// The JSON Schema of its spec.
    pub schema: Value,
    /// The names of its outputs, `name` among them.
    pub outputs: Vec<String>,
    /// What the differ reads.
    pub rules: Rules,
    /// The maps in which anything may stand under any name.
    pub free: Free,
    /// AWS's fields that no manifest says, each with the reason or where it is said instead.
    pub not_managed: &'static [(&'static str, &'static str)],
    /// The permissions that its calls need.
    pub grants: Grants,
    /// What whoever submits jobs has to be allowed on one.
    pub submit: &'static [Grant],
    /// The actions that remove it or switch it off, beside those whose verb says so.
    pub removed_by: &'static [&'static str],
    /// What it has to do with who may do what.
    pub access: Access,
}

/// Puts them together.
pub(super) fn facts_of<K: Kind>() -> Facts {
    let generator = || SchemaSettings::draft2020_12().into_generator();
    let schema = generator().into_root_schema_for::<K::Spec>().to_value();
    let outputs_schema = generator().into_root_schema_for::<K::Outputs>().to_value();
    let mut outputs: Vec<String> = outputs_schema
        .get("properties")
        .and_then(Value::as_object)
        .map(|properties| properties.keys().cloned().collect())
        .unwrap_or_default();
    if K::IDENTITY != Identity::Assigned && !outputs.iter().any(|o| o == "name") {
        outputs.push("name".to_owned());
    }
    outputs.sort();
    let rules = Rules::of(&schema);
    Facts {
        name: K::NAME,
        service: K::Service::NAME,
        about: K::ABOUT,
        example: K::EXAMPLE,
        cloudformation: K::CLOUDFORMATION,
        identity: K::IDENTITY,
        ownership: K::OWNERSHIP,
        tags: K::TAGS,
        holds_data: K::HOLDS_DATA,
        default_by: K::DEFAULT_BY,
        read_by_name: K::READ_BY_NAME,
        defines_jobs: K::DEFINES_JOBS,
        removal: K::REMOVAL,
        work: K::WORK,
        rules_between: K::RULES,
        held_by_tasks: K::HELD_BY_TASKS,
        shown_late: K::SHOWN_LATE,
        longest_name: K::NAMES.longest(),
        caseless_names: K::CASELESS_NAMES,
        free: free(&schema),
        schema,
        outputs,
        not_managed: K::NOT_MANAGED,
        grants: K::GRANTS,
        submit: K::SUBMIT,
        removed_by: K::REMOVED_BY,
        access: K::ACCESS,
        rules,
    }
}

/// The names of all fields of a schema that say so.
fn free(schema: &Value) -> Free {
    let inside: Box<dyn Iterator<Item = &Value>> = match schema {
        Value::Object(fields) => Box::new(fields.values()),
        Value::Array(items) => Box::new(items.iter()),
        _ => return Free::new(),
    };
    let mut found: Free = inside.flat_map(free).collect();
    let properties = schema.get("properties").and_then(Value::as_object);
    let says =
        properties.into_iter().flatten().filter(|(_, field)| field.get(FREE) == Some(&Value::Bool(true)));
    found.extend(says.map(|(name, _)| name.clone()));
    found
}
