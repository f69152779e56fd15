//! Types and families of instances: that their processors are alike.
//!
//! <https://docs.aws.amazon.com/batch/latest/APIReference/API_ComputeResource.html>: the types of an environment share one
//! architecture.

use crate::kinds::batch::types::compute_resources::ComputeResources;
use crate::value::instance_type::{Architecture, architecture};

/// The one architecture of all instances, if their names tell it.
pub(in crate::kinds::batch) fn of_all(resources: &ComputeResources) -> Option<Architecture> {
    resources.instance_types.iter().find_map(|text| architecture(text))
}

pub(super) fn validate(resources: &ComputeResources, say: &mut dyn FnMut(&str, String)) {
    let mut first: Option<(&str, Architecture)> = None;
    for (index, text) in resources.instance_types.iter().enumerate() {
        let Some(architecture) = architecture(text) else { continue };
        match first {
            None => first = Some((text, architecture)),
            Some((other, of)) if of != architecture => say(
                &format!("instanceTypes[{index}]"),
                format!("{text} is {architecture} and {other} is {of}: an environment has one architecture"),
            ),
            Some(_) => {}
        }
    }
}
