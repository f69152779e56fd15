//! Types of images: one or two, each once, of ECS or of EKS.
//!
//! <https://docs.aws.amazon.com/batch/latest/APIReference/API_Ec2Configuration.html>

use std::collections::BTreeSet;

use crate::kinds::batch::types::compute_resources::ComputeResources;

pub(super) fn validate(resources: &ComputeResources, on_eks: bool, say: &mut dyn FnMut(&str, String)) {
    let images = &resources.ec2_configuration;
    if images.len() > 2 {
        say("ec2Configuration", format!("there are {}, and Batch takes two at most", images.len()));
    }
    let overridden = !images.is_empty() && images.iter().all(|image| image.image_id_override.is_some());
    if resources.image_id.is_some() && overridden {
        let message = "is ignored where ec2Configuration says imageIdOverride: remove one of the two";
        say("imageId", message.to_owned());
    }
    let (ours, others) = if on_eks { ("EKS", "ECS") } else { ("ECS", "EKS") };
    let mut seen = BTreeSet::new();
    for (index, image) in images.iter().enumerate() {
        let path = format!("ec2Configuration[{index}]");
        let kind = image.image_type.as_str();
        if kind.starts_with(&format!("{others}_")) {
            let message = format!("{kind} is for {others}, and jobs run on {ours} here");
            say(&format!("{path}.imageType"), message);
        }
        if !seen.insert(kind) {
            say(&format!("{path}.imageType"), format!("{kind} is there twice: remove one"));
        }
        if image.image_kubernetes_version.is_some() && !on_eks {
            let message = "is for nodes of an EKS cluster only: remove it";
            say(&format!("{path}.imageKubernetesVersion"), message.to_owned());
        }
    }
}
