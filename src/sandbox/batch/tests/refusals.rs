//! What `tests/data/batch_refusals.yaml` says that the sandbox refuses, it does refuse, in the words that are listed there.

use regex::Regex;
use serde_json::{Value, json};

use super::{Bench, fargate};

/// The texts of an entry of the table, and the manifest that it makes.
fn entries() -> Vec<(Vec<String>, String)> {
    let table = include_str!("../../../../tests/data/batch_refusals.yaml");
    let table: Value = serde_yaml::from_str(table).unwrap();
    let made = |entry: &Value| {
        let base = entry["base"].as_str().map_or("", |base| table["bases"][base].as_str().unwrap());
        let text = format!("{base}{}", entry["add"].as_str().unwrap());
        let tags: Vec<String> = (0..51).map(|index| format!("key-{index}: value")).collect();
        let shares: Vec<String> = (0..501).map(|index| format!("{{shareIdentifier: s{index}}}")).collect();
        let text = text.replace("<501 shares>", &shares.join(", "));
        let text = text.replace("<24 KiB>", &"x".repeat(24 * 1024)).replace("<51 entries>", &tags.join(", "));
        let says = match &entry["says"] {
            Value::String(text) => vec![text.clone()],
            Value::Array(texts) => texts.iter().map(|text| text.as_str().unwrap().to_owned()).collect(),
            _ => Vec::new(),
        };
        (says, text.replace("eu-west-1:111122223333", "us-east-1:123456789012"))
    };
    table["refused"].as_array().unwrap().iter().map(made).collect()
}

/// The request that a kind would make of a manifest.
fn request(manifest: &Value) -> (&'static str, Value) {
    let (operation, name) = match manifest["kind"].as_str().unwrap() {
        "batch/JobDefinition" => ("RegisterJobDefinition", "jobDefinitionName"),
        "batch/JobQueue" => ("CreateJobQueue", "jobQueueName"),
        "batch/ConsumableResource" => ("CreateConsumableResource", "consumableResourceName"),
        "batch/ServiceEnvironment" => ("CreateServiceEnvironment", "serviceEnvironmentName"),
        "batch/SchedulingPolicy" => ("CreateSchedulingPolicy", "name"),
        _ => ("CreateComputeEnvironment", "computeEnvironmentName"),
    };
    let mut request = manifest["spec"].clone();
    let metadata = &manifest["metadata"];
    request[name] = metadata.get("physicalName").unwrap_or(&metadata["name"]).clone();
    // The kind numbers the entries, where the manifest does not.
    let entries = request.get_mut("computeEnvironmentOrder").and_then(Value::as_array_mut);
    for (index, entry) in entries.into_iter().flatten().enumerate() {
        entry.as_object_mut().unwrap().entry("order").or_insert(json!(index));
    }
    (operation, request)
}

#[tokio::test]
async fn what_is_listed_is_refused_in_these_words() {
    let bench = Bench::new();
    for name in ["a", "b"] {
        bench.ok("CreateComputeEnvironment", fargate(name)).await;
    }
    bench.advance(60);
    let hole = Regex::new(r"\\\{[^}]*\\\}").unwrap();
    let mut seen = 0;
    for (says, text) in entries() {
        // Several resources are no single request, and an update policy follows with an update.
        if says.is_empty() || text.contains("---") || text.contains("updatePolicy") {
            continue;
        }
        let manifest: Value = serde_yaml::from_str(&text).unwrap();
        let (operation, request) = request(&manifest);
        let error = bench.call(operation, request).await.expect_err(&text);
        let said =
            error.replace("ClientException: ", "").replace("Error executing request, Exception : ", "");
        let listed = says.iter().any(|text| {
            let pattern =
                hole.replace_all(&regex::escape(&text.replace("\\\"", "\"")), "[^ ].*").into_owned();
            Regex::new(&format!("^{pattern}$")).unwrap().is_match(&said)
        });
        assert!(listed, "{said}\nis none of {says:?}\n{text}");
        seen += 1;
    }
    assert!(seen > 90, "only {seen} were sent");
}
