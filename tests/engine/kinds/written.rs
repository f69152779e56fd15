//! What is written is kept, or refused: bringing a spec into its normal form loses nothing that its author relied on.
//!
//! Specs are made up from each kind's schema, some fields said and some not. In each that the kind takes, every value is
//! replaced by another one; if neither the normal form changes nor the kind complains, the value was dropped without a word. What
//! AWS itself holds for the same is in a table, each with AWS's page.

use std::collections::{BTreeMap, BTreeSet};

use batchwright::kind::{AnyKind, Facts};
use batchwright::kinds::KINDS;
use batchwright::resource::Place;
use serde_json::{Map, Value, json};

use super::{followed, none};

/// Values that may be exchanged without a change, and why: `<kind>.<path>`, and what says so.
const SAME: &[(&str, &str)] = &[
    (
        "batch/JobDefinition.*environment[].name",
        "of a variable whose value is empty: Batch keeps none, which its field says (RegisterJobDefinition, KeyValuePair)",
    ),
    (
        "batch/JobQueue.computeEnvironmentOrder[].order",
        "which one comes first is all that counts (API_ComputeEnvironmentOrder: \"tried in ascending order\")",
    ),
    (
        "ec2/Subnet.assignIpv6AddressOnCreation",
        "with ipv6Native there is no other address to give, and AWS sets it by itself (API_CreateSubnet, Ipv6Native)",
    ),
];

/// Whether an entry of the table means a path: `*` stands for whatever leads there.
fn is_meant(same: &str, path: &str) -> bool {
    match same.split_once('*') {
        Some((begin, end)) => path.starts_with(begin) && path.ends_with(end),
        None => same == path,
    }
}

/// How many specs of each kind are made up.
const SPECS: u64 = 150;

/// A sequence of numbers that looks random and is the same each time (splitmix64).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((z ^ (z >> 31)) % sides.max(1) as u64).unwrap()
    }

    fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.roll(of.len())]
    }
}

/// What a text may be, by how its field is called.
fn texts(field: &str) -> Vec<&'static str> {
    let lower = field.to_lowercase();
    let is = |part: &str| lower.contains(part);
    if is("ipv6cidrblock") || is("cidripv6") {
        vec!["2600:1f14::/56", "2600:1f15::/56"]
    } else if is("bordergroup") || is("pool") || is("prefixlist") {
        vec!["id-1", "id-2"]
    } else if is("cidr") {
        vec!["10.0.0.0/20", "10.0.16.0/20"]
    } else if is("protocol") {
        vec!["tcp", "udp", "icmp", "-1", "50"]
    } else if is("kmskey") || is("kmsmaster") {
        vec!["arn:aws:kms:eu-west-1:111122223333:key/1", "arn:aws:kms:eu-west-1:111122223333:key/2"]
    } else if is("policyarn") || is("boundary") {
        vec!["arn:aws:iam::111122223333:policy/a", "arn:aws:iam::111122223333:policy/b"]
    } else if is("rolearn") || is("servicerole") || is("fleetrole") {
        vec!["arn:aws:iam::111122223333:role/a", "arn:aws:iam::111122223333:role/b"]
    } else if is("date") {
        vec!["2030-01-01", "2031-01-01"]
    } else if field == "path" {
        vec!["/", "/jobs/"]
    } else if field == "url" {
        vec!["https://a.example.com/", "https://a.example.com", "https://b.example.com"]
    } else if is("awsservicename") {
        vec!["batch.amazonaws.com", "spot.amazonaws.com"]
    } else if is("thumbprint") {
        vec!["6938fd4d98bab03faadb97b34396831e3780aea1", "1c58a3a8518e8759bf075b76b750d4f2df264fcd"]
    } else if is("servicename") {
        vec!["com.amazonaws.eu-west-1.s3", "com.amazonaws.eu-west-1.sqs"]
    } else if is("availabilityzoneid") {
        vec!["euw1-az1", "euw1-az2"]
    } else if is("availabilityzone") {
        vec!["eu-west-1a", "eu-west-1b"]
    } else if field == "value" {
        vec!["1", "2", "2048", "4096", ""]
    } else {
        vec!["a", "b", "c"]
    }
}

fn numbers(schema: &Value) -> Vec<i64> {
    let (least, most) =
        (schema["minimum"].as_i64().unwrap_or(-1), schema["maximum"].as_i64().unwrap_or(i64::MAX));
    let all = [-1, 0, 1, 2, 20, 30, 56, 60, 90, 365, 443, 3600, 7200, 8080];
    let mut fit: Vec<i64> = all.into_iter().filter(|number| (least..=most).contains(number)).collect();
    if fit.len() < 2 {
        fit = vec![least, least + 1];
    }
    fit
}

/// All the scalars that may stand where a schema says so.
fn scalars(root: &Value, schema: &Value, field: &str) -> Vec<Value> {
    let schema = inner(root, schema);
    if let Some(values) = schema["enum"].as_array() {
        return values.clone();
    }
    let constants: Vec<Value> =
        schema["oneOf"].as_array().into_iter().flatten().filter_map(|it| it.get("const").cloned()).collect();
    if !constants.is_empty() {
        return constants;
    }
    match kind_of(schema) {
        "boolean" => vec![json!(true), json!(false)],
        "integer" | "number" => numbers(schema).into_iter().map(Value::from).collect(),
        "string" => texts(field).into_iter().map(Value::from).collect(),
        _ => Vec::new(),
    }
}

/// The schema behind references and the choice of an `Option`.
fn inner<'a>(root: &'a Value, schema: &'a Value) -> &'a Value {
    let schema = followed(root, schema);
    let choice = schema["anyOf"].as_array().and_then(|all| all.iter().find(|it| it["type"] != "null"));
    choice.map_or(schema, |choice| inner(root, choice))
}

fn kind_of(schema: &Value) -> &str {
    match &schema["type"] {
        Value::Array(all) => {
            all.iter().filter_map(Value::as_str).find(|it| *it != "null").unwrap_or_default()
        }
        one => one.as_str().unwrap_or_default(),
    }
}

/// A document that goes with the field: what is in it is not exchanged here.
fn document(field: &str, dice: &mut Dice) -> Value {
    let action = *dice.pick(&["s3:GetObject", "s3:PutObject"]);
    let statement = match field {
        "lifecyclePolicyText" => {
            let days = *dice.pick(&[14, 30]);
            let selection = json!({"tagStatus": "untagged", "countType": "sinceImagePushed", "countUnit": "days", "countNumber": days});
            return json!({"rules": [{"rulePriority": 1, "selection": selection, "action": {"type": "expire"}}]});
        }
        "assumeRolePolicyDocument" => {
            json!({"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "ecs-tasks.amazonaws.com"}})
        }
        "policy" | "repositoryPolicyText" => {
            json!({"Effect": "Allow", "Action": action, "Resource": "*", "Principal": {"AWS": "111122223333"}})
        }
        _ => json!({"Effect": "Allow", "Action": action, "Resource": "*"}),
    };
    json!({"Version": "2012-10-17", "Statement": [statement]})
}

fn made_up(root: &Value, schema: &Value, field: &str, dice: &mut Dice, depth: usize) -> Value {
    let target = inner(root, schema);
    let compare = schema.get("x-compare").or_else(|| target.get("x-compare")).and_then(Value::as_str);
    if matches!(compare, Some("policy" | "json")) {
        return document(field, dice);
    }
    if let Some(fields) = target["properties"].as_object() {
        let required: Vec<&str> =
            target["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let mut made = Map::new();
        for (name, property) in fields {
            let deep = depth > 1 && dice.roll(3) > 0;
            if required.contains(&name.as_str()) || (dice.roll(3) == 0 && !deep) {
                made.insert(name.clone(), made_up(root, property, name, dice, depth + 1));
            }
        }
        return Value::Object(made);
    }
    match kind_of(target) {
        "array" => {
            let many = dice.roll(3);
            let mut items: Vec<Value> = Vec::new();
            for _ in 0..many {
                let item = made_up(root, &target["items"], field, dice, depth + 1);
                if !items.contains(&item) {
                    items.push(item);
                }
            }
            items.into()
        }
        "object" => json!({"k": "v"}),
        _ => {
            let all = scalars(root, schema, field);
            if all.is_empty() { Value::Null } else { dice.pick(&all).clone() }
        }
    }
}

/// The steps of a path such as `rules[0].id`.
fn steps(path: &str) -> Vec<String> {
    let parts = path.split(['.', '[']).filter(|part| !part.is_empty());
    parts.map(|part| part.trim_end_matches(']').to_owned()).collect()
}

/// Mends what a kind complains of, or takes it away. Nothing, if neither can be done.
fn mended(facts: &Facts, mut spec: Value, path: &str, dice: &mut Dice) -> Option<Value> {
    let root = &facts.schema;
    let steps = steps(path);
    let (last, above) = steps.split_last()?;
    let (mut schema, mut at) = (root, &mut spec);
    for step in above {
        let target = inner(root, schema);
        (schema, at) = match at {
            Value::Object(fields) => (&target["properties"][step.as_str()], fields.get_mut(step)?),
            Value::Array(items) => (&target["items"], items.get_mut(step.parse::<usize>().ok()?)?),
            _ => return None,
        };
    }
    let target = inner(root, schema);
    match at {
        Value::Object(fields) => {
            let property = target["properties"].get(last)?;
            // What is missing is added; what is wrong is another time something else.
            if !fields.contains_key(last) || dice.roll(2) == 0 {
                fields.insert(last.clone(), made_up(root, property, last, dice, 1));
            } else {
                fields.remove(last);
            }
        }
        Value::Array(items) => {
            let index = last.parse::<usize>().ok().filter(|index| *index < items.len())?;
            if dice.roll(4) == 0 {
                items.remove(index);
            } else {
                let field = above.last().map(String::as_str).unwrap_or_default();
                items[index] = made_up(root, &target["items"], field, dice, 1);
            }
        }
        _ => return None,
    }
    Some(spec)
}

/// A spec that the kind takes, if luck would have it.
fn taken(kind: &dyn AnyKind, facts: &'static Facts, place: &Place, dice: &mut Dice) -> Option<Value> {
    let mut spec = made_up(&facts.schema, &facts.schema, "", dice, 0);
    for _ in 0..60 {
        let complaints = kind.validate(&kind.normal(&spec, place).ok()?, place);
        let Some(first) = complaints.first() else { return Some(spec) };
        spec = mended(facts, spec, &first.path, dice)?;
    }
    None
}

/// A scalar in a spec: its path, its path without the numbers of items, and all that may stand there.
struct Leaf {
    pointer: String,
    path: String,
    others: Vec<Value>,
}

fn leaves(root: &Value, schema: &Value, value: &Value, at: (&str, &str, &str), found: &mut Vec<Leaf>) {
    let (pointer, path, field) = at;
    let target = inner(root, schema);
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                if let Some(property) = target["properties"].get(name) {
                    let below = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                    leaves(root, property, value, (&format!("{pointer}/{name}"), &below, name), found);
                }
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                let below = (format!("{pointer}/{index}"), format!("{path}[]"));
                leaves(root, &target["items"], item, (&below.0, &below.1, field), found);
            }
        }
        scalar => {
            let others = scalars(root, schema, field).into_iter().filter(|other| other != scalar).collect();
            found.push(Leaf { pointer: pointer.to_owned(), path: path.to_owned(), others });
        }
    }
}

/// What a kind drops: `<kind>.<path>`, with an example.
fn dropped(
    kind: &dyn AnyKind,
    facts: &'static Facts,
    place: &Place,
    seed: u64,
) -> (usize, BTreeMap<String, String>) {
    let mut dice = Dice(seed);
    let (mut many, mut found) = (0, BTreeMap::new());
    let normal = |spec: &Value| kind.normal(spec, place).ok();
    for _ in 0..SPECS {
        let Some(spec) = taken(kind, facts, place, &mut dice) else { continue };
        let before = normal(&spec);
        many += 1;
        let mut all = Vec::new();
        leaves(&facts.schema, &facts.schema, &spec, ("", "", ""), &mut all);
        for leaf in all {
            for other in leaf.others.iter().take(3) {
                let mut changed = spec.clone();
                *changed.pointer_mut(&leaf.pointer).unwrap() = other.clone();
                if normal(&changed) == before {
                    let was = spec.pointer(&leaf.pointer).unwrap();
                    found
                        .entry(format!("{}.{}", facts.name, leaf.path))
                        .or_insert(format!("{was} or {other} in {spec}"));
                }
            }
        }
    }
    (many, found)
}

#[test]
fn no_value_is_dropped_without_a_word() {
    let place = Place::new("111122223333", "eu-west-1");
    let mut wrong = Vec::new();
    let (mut seen, mut few) = (BTreeSet::new(), Vec::new());
    for kind in KINDS {
        let facts = kind.facts();
        let (many, found) = dropped(*kind, facts, &place, 11);
        few.extend((many < 10).then(|| format!("{}: {many}", facts.name)));
        for (path, example) in found {
            match SAME.iter().find(|(same, _)| is_meant(same, &path)) {
                Some((same, _)) => drop(seen.insert(*same)),
                None => wrong.push(format!("{path}: {example}")),
            }
        }
    }
    none("dropped without a word", &wrong);
    none("hardly any spec is taken", &few);
    let stale: Vec<String> =
        SAME.iter().filter(|(path, _)| !seen.contains(path)).map(|(path, _)| (*path).to_owned()).collect();
    none("excused without need", &stale);
}
