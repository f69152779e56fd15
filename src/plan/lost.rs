//! A resource that only its tags told apart and that has lost them: recognised by what lives in it (D11).

use serde_json::Value;

use crate::resource::{Desired, Observed, ResourceId};
use crate::value::reference::{self, Reference};

/// Which owned resource still names it, and the id by which it does.
pub(super) fn lost<'a>(
    id: &ResourceId,
    desired: &'a Desired,
    observed: &Observed,
) -> Option<(&'a ResourceId, String)> {
    let known = |physical: &str| {
        let mut current = observed.resources.values().filter_map(|seen| seen.current.as_ref());
        current.any(|it| it.physical == physical && it.owner().as_ref() == Some(&desired.owner))
    };
    let holders = desired.resources.values().filter(|holder| holder.id != *id);
    holders
        .filter_map(|holder| {
            let live = observed.resources.get(&holder.id)?.current.as_ref()?;
            let ours = live.owner().as_ref() == Some(&desired.owner);
            Some((&holder.id, named(id, &holder.spec, ours.then_some(&live.spec)?)?))
        })
        .find(|(_, physical)| !known(physical))
}

/// What stands in the live document where the wanted one refers to this id. Of lists only those of one length are compared,
/// because only there a place says anything.
fn named(id: &ResourceId, want: &Value, live: &Value) -> Option<String> {
    match (want, live) {
        (Value::String(want), Value::String(live)) => match reference::whole(want)? {
            Reference::Output { id: target, output } if target == *id && output == "id" => Some(live.clone()),
            _ => None,
        },
        (Value::Object(want), Value::Object(live)) => {
            want.iter().find_map(|(field, want)| named(id, want, live.get(field)?))
        }
        (Value::Array(want), Value::Array(live)) if want.len() == live.len() => {
            want.iter().zip(live).find_map(|(want, live)| named(id, want, live))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_place_of_a_reference_tells_the_id_also_inside_lists() {
        let subnet = ResourceId::new("ec2/Subnet", "b");
        let want = json!({"computeResources": {"subnets": ["${ec2/Subnet/a.id}", "${ec2/Subnet/b.id}"]}});
        let live = json!({"computeResources": {"subnets": ["subnet-1", "subnet-2"]}, "state": "ENABLED"});
        assert_eq!(named(&subnet, &want, &live).as_deref(), Some("subnet-2"));
        let other = json!({"computeResources": {"subnets": ["subnet-1"]}});
        assert_eq!(named(&subnet, &want, &other), None);
    }
}
