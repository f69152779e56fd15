//! The launch templates of an environment: a missing one, or one whose user data Batch can add nothing to, makes it INVALID.
//!
//! The texts: EC2's of DescribeLaunchTemplateVersions, and aws/aws-cdk#6427 ("Launch Template UserData is not MIME multipart
//! format"). <https://docs.aws.amazon.com/batch/latest/userguide/launch-templates.html>

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::batch::Batch;
use crate::batch::error::{Error, Result};
use crate::batch::request::{Fields, Object};
use crate::batch::world::{Template, TemplateName};

impl Batch {
    pub(super) async fn fault_of_templates(
        &self,
        detail: &Object,
        resources: &Object,
    ) -> Result<Option<String>> {
        let Some(whole) = resources.object("launchTemplate")? else { return Ok(None) };
        let overrides = whole.get("overrides").and_then(serde_json::Value::as_array);
        let overrides = overrides.into_iter().flatten().filter_map(serde_json::Value::as_object);
        for one in [whole].into_iter().chain(overrides) {
            let (id, name) = (one.shown("launchTemplateId"), one.shown("launchTemplateName"));
            let asked = match (id, name) {
                ("", "") => continue,
                ("", name) => TemplateName::Name(name.to_owned()),
                (id, _) => TemplateName::Id(id.to_owned()),
            };
            let version = Some(one.shown("version")).filter(|version| !version.is_empty());
            let version = version.unwrap_or("$Default");
            let found = self.world().launch_template(&asked, version).await.map_err(Error::Server)?;
            if let Some(fault) = fault(&asked, version, found, detail.contains_key("eksConfiguration")) {
                return Ok(Some(format!("CLIENT_ERROR - {fault}")));
            }
        }
        Ok(None)
    }
}

fn fault(asked: &TemplateName, version: &str, found: Template, is_eks: bool) -> Option<String> {
    let said = match asked {
        TemplateName::Id(id) => format!("template ID {id}"),
        TemplateName::Name(name) => format!("template name {name}"),
    };
    match found {
        Template::None => Some(format!("The specified launch template, with {said}, does not exist.")),
        Template::NoVersion => Some(format!(
            "Could not find the specified version {version} for the launch template with {said}."
        )),
        Template::Found { user_data: Some(text) } if !is_eks && !is_multipart(&text) => {
            Some("Launch Template UserData is not MIME multipart format".to_owned())
        }
        Template::Found { .. } => None,
    }
}

/// Headers come first, and an empty line ends them (RFC 2046 §5.1).
fn is_multipart(encoded: &str) -> bool {
    let text = STANDARD.decode(encoded).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let text = text.unwrap_or_default().to_lowercase();
    let mut head = text.lines().take_while(|line| !line.is_empty());
    head.any(|line| {
        line.strip_prefix("content-type:").is_some_and(|kind| kind.trim().starts_with("multipart/"))
    })
}
