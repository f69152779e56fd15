//! The answers of pandas 3.1.1 to the same files, recorded with:
//!
//! ```python
//! df = pandas.read_csv(file)
//! {"total_purchase": df.payment_value.sum(), "average_purchase": df.payment_value.mean(),
//!  "max_value_purchase": df.payment_value.max(), "min_value_purchase": df.payment_value.min(),
//!  "payments_with_instalments": df[df.payment_installments > 1].order_id.count(),
//!  "payment_type": df.payment_type.value_counts().to_dict()}
//! ```

use serde_json::Value;

use crate::program::{Ended, file, worker};

fn summarized(source: &str) -> Value {
    let folder = tempfile::tempdir().unwrap();
    let result = folder.path().join("results.json");
    let source = file(source);
    let ended = Ended::of(worker(&[
        "summarize",
        "--source",
        source.to_str().unwrap(),
        "--destination",
        &format!("file://{}", result.display()),
    ]));
    assert_eq!(ended.code, Some(0), "{}", ended.last());
    serde_json::from_slice(&std::fs::read(result).unwrap()).unwrap()
}

fn recorded(name: &str) -> Value {
    serde_json::from_slice(&std::fs::read(file(name)).unwrap()).unwrap()
}

/// Equal, with numbers to 1e-9 of their size; the same keys in objects.
fn assert_same(ours: &Value, theirs: &Value, path: &str) {
    match (ours, theirs) {
        (Value::Object(ours), Value::Object(theirs)) => {
            assert_eq!(ours.keys().collect::<Vec<_>>(), theirs.keys().collect::<Vec<_>>());
            ours.iter().for_each(|(key, value)| assert_same(value, &theirs[key], key));
        }
        _ if ours.is_u64() && theirs.is_u64() => assert_eq!(ours, theirs, "{path}"),
        _ => {
            let (ours, theirs) = (ours.as_f64().unwrap(), theirs.as_f64().unwrap());
            assert!((ours - theirs).abs() <= 1e-9 * theirs.abs(), "{path}: {ours} {theirs}");
        }
    }
}

#[test]
fn the_sample_gives_the_answer_of_pandas() {
    let ours = summarized("samples/payments.csv");
    assert_same(&ours, &recorded("tests/worker/pandas/payments.json"), "");
    insta::assert_snapshot!(serde_json::to_string_pretty(&ours).unwrap(), @r#"
    {
      "average_purchase": 154.55765,
      "max_value_purchase": 924.94,
      "min_value_purchase": 14.03,
      "payment_type": {
        "boleto": 35,
        "credit_card": 149,
        "debit_card": 3,
        "not_defined": 1,
        "voucher": 12
      },
      "payments_with_instalments": 72,
      "total_purchase": 30911.53
    }
    "#);
}

#[test]
fn every_oddity_of_csv_and_numbers_gives_the_answer_of_pandas() {
    assert_same(&summarized("tests/worker/pandas/odd.csv"), &recorded("tests/worker/pandas/odd.json"), "");
}

/// What pandas takes for missing by default is text here: so it counts less. Told to take only the empty order for missing
/// (`read_csv(file, keep_default_na=False, na_values={"order_id": [""]})`), it gives our answer.
#[test]
fn what_pandas_takes_for_missing_is_text() {
    let ours = summarized("tests/worker/pandas/missing.csv");
    assert_same(&ours, &recorded("tests/worker/pandas/missing_as_text.json"), "");
    let by_default = recorded("tests/worker/pandas/missing.json");
    let counted =
        |answer: &Value| format!("{} {}", answer["payments_with_instalments"], answer["payment_type"]);
    insta::assert_snapshot!([counted(&ours), counted(&by_default)].join("\n"), @r#"
    9 {"NA":1,"None":1,"boleto":6,"n/a":1,"null":1}
    5 {"boleto":6}
    "#);
    assert_eq!(ours["total_purchase"], by_default["total_purchase"]);
}
