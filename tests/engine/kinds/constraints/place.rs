//! Where in a manifest a value stands, and how it is read and exchanged.

use std::fmt;

use serde_json::Value;

use super::probe::Probe;

/// One step of a field's path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    Field(String),
    /// An item of a list: the first.
    Item,
    /// The value of a map's entry: of the first.
    Entry,
    /// A map's key: the first.
    Key,
}

/// A value that a manifest says.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// The name in AWS.
    Name,
    /// `metadata.tags`, or a key or value of it.
    Tags(Vec<Step>),
    /// A field of the spec.
    Spec(Vec<Step>),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let steps = match self {
            Place::Name => return f.write_str("metadata.physicalName"),
            Place::Tags(steps) => {
                f.write_str("metadata.tags")?;
                steps
            }
            Place::Spec(steps) => steps,
        };
        for (index, step) in steps.iter().enumerate() {
            match step {
                Step::Field(name) if index == 0 => f.write_str(name)?,
                Step::Field(name) => write!(f, ".{name}")?,
                Step::Item => f.write_str("[]")?,
                Step::Entry => f.write_str("{}")?,
                Step::Key => f.write_str("{key}")?,
            }
        }
        Ok(())
    }
}

impl Place {
    /// The value there.
    pub fn read(&self, probe: &Probe) -> Option<Value> {
        match self {
            Place::Name => Some(Value::String(probe.name.clone())),
            Place::Tags(steps) => read(&probe.tags, steps),
            Place::Spec(steps) => read(&probe.spec, steps),
        }
    }

    /// The same manifest with another value there. A field that is not there yet is added to what stands around it.
    pub fn with(&self, probe: &Probe, value: &Value) -> Option<Probe> {
        let mut probe = probe.clone();
        match self {
            Place::Name => probe.name = value.as_str()?.to_owned(),
            Place::Tags(steps) => write(&mut probe.tags, steps, value)?,
            Place::Spec(steps) => write(&mut probe.spec, steps, value)?,
        }
        Some(probe)
    }
}

fn read(at: &Value, steps: &[Step]) -> Option<Value> {
    let Some((step, rest)) = steps.split_first() else { return Some(at.clone()) };
    match step {
        Step::Field(name) => read(at.get(name)?, rest),
        // Not every item has every field.
        Step::Item => at.as_array()?.iter().find_map(|item| read(item, rest)),
        Step::Entry => read(at.as_object()?.values().next()?, rest),
        Step::Key => at.as_object()?.keys().next().cloned().map(Value::String),
    }
}

fn write(at: &mut Value, steps: &[Step], value: &Value) -> Option<()> {
    let Some((step, rest)) = steps.split_first() else {
        *at = value.clone();
        return Some(());
    };
    match step {
        Step::Field(name) if rest.is_empty() => {
            at.as_object_mut()?.insert(name.clone(), value.clone());
            Some(())
        }
        Step::Field(name) => write(at.get_mut(name)?, rest, value),
        Step::Item => {
            let items = at.as_array_mut()?;
            let index = items.iter().position(|item| read(item, rest).is_some()).unwrap_or(0);
            write(items.get_mut(index)?, rest, value)
        }
        Step::Entry => write(at.as_object_mut()?.values_mut().next()?, rest, value),
        Step::Key => {
            let entries = at.as_object_mut()?;
            let key = entries.keys().next()?.clone();
            let entry = entries.remove(&key)?;
            entries.insert(value.as_str()?.to_owned(), entry);
            Some(())
        }
    }
}
