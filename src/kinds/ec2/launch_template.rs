//! `ec2/LaunchTemplate`: what instances are launched with.

use aws_sdk_ec2::types::{LaunchTemplate as Reported, LaunchTemplateVersion, RequestLaunchTemplateData};
use serde_json::Value;

use crate::kind::prelude::*;
use crate::kinds::mirror::Part;
use crate::resource::OWNER_TAG;
use crate::services::ec2::{Ec2, Snapshot, filter_by, tags};

pub mod data;
mod network;
mod options;
mod requirements;
pub(in crate::kinds) mod user_data;
mod write;

use data::Data;

/// A launch template.
pub struct LaunchTemplate;

/// What a manifest declares of a launch template.
#[spec]
pub struct Spec {
    /// What instances are launched with. A change makes a new version, and leaves the default version as it is.
    pub launch_template_data: Data,
    /// What is to be said of the version; up to 255 characters.
    #[field(empty, length(..=255))]
    pub version_description: Option<String>,
}

/// What AWS assigns to a launch template.
#[outputs]
pub struct Outputs {
    /// Its id: `lt-…`.
    pub id: String,
    /// Its ARN.
    pub arn: String,
    /// The number of its newest version: the one that is declared. A compute environment that refers to it follows each change.
    pub latest_version: i64,
    /// The number of its default version; the first, unless somebody moved it.
    pub default_version: i64,
}

impl Kind for LaunchTemplate {
    type Spec = Spec;
    type Outputs = Outputs;
    type Service = Ec2;
    type Seen = ();

    const NAME: &'static str = "ec2/LaunchTemplate";
    const NAMES: NameRule = NameRule::of(3..=128, "()./_-");
    const ABOUT: &'static str =
        "An EC2 launch template: what the instances of a compute environment are launched with.";
    const CLOUDFORMATION: &'static str = "AWS::EC2::LaunchTemplate";
    const NOT_MANAGED: &'static [(&'static str, &'static str)] =
        &[("launchTemplateName", "metadata.physicalName"), ("tagSpecifications", "metadata.tags")];
    const GRANTS: Grants = Grants {
        read: &[Grant::any(actions![ec2: DescribeLaunchTemplates DescribeLaunchTemplateVersions])],
        write: &[
            Grant::on(actions![ec2: CreateLaunchTemplate], TEMPLATES).when(When::OwnerWritten),
            Grant::on(actions![ec2: CreateTags], TEMPLATES).when(When::TaggedBy(&["CreateLaunchTemplate"])),
            Grant::on(
                actions![ec2: CreateLaunchTemplateVersion CreateTags DeleteLaunchTemplate
                    DeleteLaunchTemplateVersions DeleteTags],
                TEMPLATES,
            )
            .when(When::Owned),
        ],
    };
    const IDENTITY: Identity = Identity::Revisioned;
    const EXAMPLE: &'static str = include_str!("launch_template.example.yaml");

    fn validate(spec: &Spec, _place: &Place) -> Vec<Invalid> {
        let mut found = Vec::new();
        if spec.launch_template_data == Data::default() {
            found.push(Invalid::new("launchTemplateData", "is empty: say at least one thing of instances"));
        }
        let spot = spec.launch_template_data.instance_market_options.as_ref();
        let until = spot.and_then(|it| it.spot_options.as_ref()?.valid_until.as_ref());
        if until.is_some_and(|it| it.parsed().is_none() && !it.0.contains("${")) {
            let path = "launchTemplateData.instanceMarketOptions.spotOptions.validUntil";
            found.push(Invalid::new(path, "is no time such as 2027-01-31T12:00:00Z"));
        }
        found
    }

    fn normalise(spec: &mut Spec, _place: &Place) {
        spec.version_description = spec.version_description.take().filter(|text| !text.is_empty());
        let data = &mut spec.launch_template_data;
        data.user_data = data.user_data.take().filter(|it| !it.is_empty()).map(|it| user_data::clear(&it));
        let spot = data.instance_market_options.as_mut();
        if let Some(until) = spot.and_then(|it| it.spot_options.as_mut()?.valid_until.as_mut()) {
            until.normalise();
        }
        // AWS keeps no part that says nothing.
        let said = serde_json::to_value(&*data).map(without_nothing);
        if let Some(said) = said.ok().and_then(|said| serde_json::from_value(said).ok()) {
            *data = said;
        }
    }

    fn carried(outputs: &Outputs) -> BTreeMap<String, String> {
        let Outputs { id, arn, default_version, .. } = outputs;
        let default = ("defaultVersion".to_owned(), default_version.to_string());
        BTreeMap::from([("id".to_owned(), id.clone()), ("arn".to_owned(), arn.clone()), default])
    }

    fn denoted_by(live: &Live<Self>) -> Vec<Denoted> {
        vec![Denoted::InField("launchTemplateName", live.physical.clone())]
    }

    fn observe(snapshot: &Snapshot, place: &Place) -> Vec<Live<Self>> {
        let versions = snapshot.launch_template_versions.iter();
        let of_each = versions.filter_map(|(id, versions)| {
            let template = snapshot.launch_templates.get(id)?;
            Some(versions.iter().filter_map(|version| live(template, version, place)).collect::<Vec<_>>())
        });
        of_each.flatten().collect()
    }

    async fn create(cx: &Cx<'_, Self>, want: &Spec) -> Result<String> {
        // One of that name that is somebody else's gets no version of ours: AWS refuses to make another.
        let named = filter_by("launch-template-name", vec![cx.name.to_owned()]);
        let owner = cx.tags.get(OWNER_TAG).cloned().unwrap_or_default();
        let ours = filter_by(&format!("tag:{OWNER_TAG}"), vec![owner]);
        let call = cx.client.describe_launch_templates().filters(named).filters(ours);
        let found = call.send().await.map_err(failed)?;
        match found.launch_templates().iter().find_map(|it| it.launch_template_id()) {
            Some(id) => write::add(cx, id, want).await?,
            None => write::create(cx, want).await?,
        }
        Ok(cx.name.to_owned())
    }

    async fn update(_cx: &Cx<'_, Self>, live: &Live<Self>, _want: &Spec, _diff: &Diff) -> Result<()> {
        let version = live.outputs.latest_version;
        let what = format!("version {version} is immutable: a change makes a new one");
        Err(Error::malformed("ec2", "CreateLaunchTemplateVersion", what))
    }

    async fn delete(cx: &Cx<'_, Self>, live: &Live<Self>) -> Result<()> {
        write::delete(cx, live).await
    }
}

const TEMPLATES: &[On] = &[On::Regional("ec2", "launch-template/*")];

/// Without objects and lists that hold nothing.
fn without_nothing(value: Value) -> Value {
    let is_something = |value: &Value| match value {
        Value::Object(fields) => !fields.is_empty(),
        Value::Array(items) => !items.is_empty(),
        other => !other.is_null(),
    };
    match value {
        Value::Object(fields) => {
            let fields = fields.into_iter().map(|(name, value)| (name, without_nothing(value)));
            Value::Object(fields.filter(|(_, value)| is_something(value)).collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(without_nothing).collect()),
        other => other,
    }
}

/// What is sent: a new version holds only what it is told.
fn request(spec: &Spec) -> RequestLaunchTemplateData {
    let mut sent: RequestLaunchTemplateData = spec.launch_template_data.sdk();
    sent.user_data = sent.user_data.map(|text| user_data::encoded(&text));
    sent
}

/// A version. The default version is none of those that may go, unless it is the newest: AWS does not delete it alone.
fn live(template: &Reported, version: &LaunchTemplateVersion, place: &Place) -> Option<Live<LaunchTemplate>> {
    let (id, number) = (template.launch_template_id()?.to_owned(), version.version_number()?);
    let latest = template.latest_version_number()?;
    if version.default_version() == Some(true) && number != latest {
        return None;
    }
    let spec = Spec {
        launch_template_data: version.launch_template_data().map(Part::of).unwrap_or_default(),
        version_description: version.version_description().map(str::to_owned),
    };
    let arn = place.arn("ec2", &format!("launch-template/{id}"));
    let default_version = template.default_version_number().unwrap_or(1);
    let outputs = Outputs { id, arn: arn.clone(), latest_version: latest, default_version };
    let live = Live::new(template.launch_template_name()?, spec, outputs).with(arn, tags(template.tags()));
    Some(Live { revision: u64::try_from(number).ok(), ..live })
}

#[cfg(test)]
mod tests;
