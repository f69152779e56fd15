//! `iam/OidcProvider`: an issuer whose tokens the account trusts, such as GitHub's.

use aws_sdk_iam::operation::get_open_id_connect_provider::GetOpenIdConnectProviderOutput;

use crate::kind::prelude::*;
use crate::resource::TAG_PREFIX;
use crate::services::iam::{self, Iam, Snapshot};

/// An OpenID Connect provider.
pub struct OidcProvider;

/// What a manifest declares of a provider.
#[spec]
pub struct Spec {
    /// The issuer, such as `https://token.actions.githubusercontent.com`. An account has one provider for each.
    #[field(create_only)]
    pub url: String,
    /// The audiences whose tokens are taken, such as `sts.amazonaws.com`. Those that others added stay. At most 100.
    #[field(default, at_least)]
    pub client_id_list: Vec<String>,
    /// SHA-1 thumbprints of the issuer's certificate authorities, 40 hex digits each; absent: AWS finds them. At most 5.
    #[field(server, set)]
    pub thumbprint_list: Option<Vec<String>>,
}

/// What AWS assigns to a provider.
#[outputs]
pub struct Outputs {
    /// Its ARN: the federated principal of trust policies.
    pub arn: String,
    /// The issuer without `https://`: what condition keys begin with, as in `<url>:aud`.
    pub url: String,
}

impl Kind for OidcProvider {
    type Spec = Spec;
    type Outputs = Outputs;
    type Service = Iam;
    type Seen = ();

    const NAME: &'static str = "iam/OidcProvider";
    const NAMES: NameRule = NameRule::NONE;
    const ABOUT: &'static str = "An OpenID Connect provider: an issuer whose tokens may be exchanged for a role. The account's, so never deleted.";
    const CLOUDFORMATION: &'static str = "AWS::IAM::OIDCProvider";
    const GRANTS: Grants = Grants {
        read: &[Grant::on(actions![iam: GetOpenIDConnectProvider], &[On::Iam("oidc-provider/*")])],
        write: &[Grant::on(
            actions![iam: AddClientIDToOpenIDConnectProvider CreateOpenIDConnectProvider
                    TagOpenIDConnectProvider UntagOpenIDConnectProvider
                    UpdateOpenIDConnectProviderThumbprint],
            &[On::Iam("oidc-provider/{name}")],
        )],
    };
    const OWNERSHIP: Ownership = Ownership::Shared;
    const ACCESS: Access = Access::Provider;
    const EXAMPLE: &'static str = include_str!("oidc_provider.example.yaml");
    const READ_BY_NAME: bool = true;

    fn physical(spec: &Spec, _name: &str, _place: &Place) -> String {
        host_and_path(&spec.url).to_owned()
    }

    fn validate(spec: &Spec, _place: &Place) -> Vec<Invalid> {
        let mut found = Vec::new();
        if let Some(why) = wrong_url(&spec.url) {
            found.push(Invalid::new("url", why));
        }
        if spec.client_id_list.len() > 100 {
            found.push(Invalid::new("clientIdList", "has more than 100 items, which is all that IAM takes"));
        }
        for (index, id) in spec.client_id_list.iter().enumerate() {
            if id.is_empty() || id.chars().count() > 255 {
                found.push(Invalid::new(format!("clientIdList[{index}]"), "has to have 1 to 255 characters"));
            }
        }
        let thumbprints = spec.thumbprint_list.iter().flatten();
        if thumbprints.clone().count() > 5 {
            found.push(Invalid::new("thumbprintList", "has more than 5 items, which is all that IAM takes"));
        }
        for (index, thumbprint) in thumbprints.enumerate() {
            let hex = thumbprint.len() == 40 && thumbprint.chars().all(|c| c.is_ascii_hexdigit());
            if !hex && !thumbprint.contains("${") {
                let message = "is not a thumbprint: expected 40 hexadecimal digits without colons";
                found.push(Invalid::new(format!("thumbprintList[{index}]"), message));
            }
        }
        found
    }

    fn normalise(spec: &mut Spec, _place: &Place) {
        // A slash at the end is part of an issuer: tokens are compared with it to the letter.
        if !spec.url.contains("${") && !spec.url.contains("://") {
            spec.url = format!("https://{}", spec.url);
        }
        for thumbprint in spec.thumbprint_list.iter_mut().flatten() {
            thumbprint.make_ascii_lowercase();
        }
    }

    fn predict(name: &str, _spec: &Spec, place: &Place) -> BTreeMap<String, String> {
        BTreeMap::from([
            ("arn".to_owned(), place.iam_arn(&format!("oidc-provider/{name}"))),
            ("url".to_owned(), name.to_owned()),
        ])
    }

    fn observe(snapshot: &Snapshot, place: &Place) -> Vec<Live<Self>> {
        snapshot.providers.iter().map(|(url, provider)| live(url, provider, place)).collect()
    }

    async fn create(cx: &Cx<'_, Self>, want: &Spec) -> Result<String> {
        let call = cx
            .client
            .create_open_id_connect_provider()
            .url(&want.url)
            .set_client_id_list(Some(want.client_id_list.clone()))
            .set_thumbprint_list(want.thumbprint_list.clone())
            .set_tags(Some(iam::tags(&unclaimed(cx.tags))?));
        call.send().await.map_err(failed)?;
        Ok(cx.name.to_owned())
    }

    async fn update(cx: &Cx<'_, Self>, live: &Live<Self>, want: &Spec, diff: &Diff) -> Result<()> {
        let arn = &live.outputs.arn;
        if diff.touches("clientIdList") {
            let there = &live.spec.client_id_list;
            for id in want.client_id_list.iter().filter(|id| !there.contains(id)) {
                let call = cx.client.add_client_id_to_open_id_connect_provider();
                let call = call.open_id_connect_provider_arn(arn).client_id(id).send().await;
                call.map_err(failed)?;
            }
        }
        if diff.touches("thumbprintList") {
            let call =
                cx.client.update_open_id_connect_provider_thumbprint().open_id_connect_provider_arn(arn);
            let call = call.set_thumbprint_list(want.thumbprint_list.clone()).send().await;
            call.map_err(failed)?;
        }
        Ok(())
    }

    async fn delete(_cx: &Cx<'_, Self>, live: &Live<Self>) -> Result<()> {
        let what = format!("{} is the whole account's, so it is never deleted", live.outputs.arn);
        Err(Error::malformed("iam", "DeleteOpenIDConnectProvider", what))
    }
}

/// What is the account's is not claimed: an owner tag would make it one environment's (D9).
fn unclaimed(tags: &Tags) -> Tags {
    tags.iter().filter(|(key, _)| !key.starts_with(TAG_PREFIX)).map(|(k, v)| (k.clone(), v.clone())).collect()
}

fn host_and_path(url: &str) -> &str {
    url.strip_prefix("https://").unwrap_or(url)
}

/// Why IAM would refuse an issuer's URL.
fn wrong_url(url: &str) -> Option<String> {
    let rest = host_and_path(url);
    let host = rest.split('/').next().unwrap_or_default();
    let why = if url.contains("${") {
        "names the provider, and so can't hold a reference"
    } else if url.contains("://") && !url.starts_with("https://") {
        "does not begin with https://"
    } else if host.is_empty() || !host.contains('.') {
        "names no host"
    } else if host.contains(':') {
        "names a port, which IAM does not take"
    } else if host.contains(|c: char| c.is_ascii_uppercase()) {
        "has capital letters in its host: tokens name it in small ones"
    } else if rest.contains(['?', '#']) {
        "has a query or a fragment, which IAM does not take"
    } else if url.len() > 255 {
        "is longer than 255 characters"
    } else {
        return None;
    };
    Some(format!("`{url}` {why}: expected an issuer such as `https://token.actions.githubusercontent.com`"))
}

fn live(url: &str, provider: &GetOpenIdConnectProviderOutput, place: &Place) -> Live<OidcProvider> {
    let arn = place.iam_arn(&format!("oidc-provider/{url}"));
    Live {
        physical: url.to_owned(),
        arn: Some(arn.clone()),
        spec: Spec {
            url: provider.url().unwrap_or(url).to_owned(),
            client_id_list: provider.client_id_list().to_vec(),
            thumbprint_list: Some(provider.thumbprint_list().to_vec()).filter(|list| !list.is_empty()),
        },
        outputs: Outputs { arn, url: url.to_owned() },
        tags: own_tags(provider.tags().iter().map(|tag| (tag.key(), tag.value()))),
        readiness: Readiness::Ready,
        revision: None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{GetOpenIdConnectProviderOutput, OidcProvider, Spec};
    use crate::kind::{AnyKind, Erased, Kind};
    use crate::resource::Place;
    use crate::services::iam::Snapshot;

    fn place() -> Place {
        Place::new("111122223333", "eu-west-1")
    }

    #[test]
    fn a_provider_goes_by_its_host_and_path() {
        let provider = GetOpenIdConnectProviderOutput::builder()
            .url("token.actions.githubusercontent.com/acme")
            .client_id_list("sts.amazonaws.com")
            .client_id_list("theirs")
            .thumbprint_list("6938fd4d98bab03faadb97b34396831e3780aea1")
            .build();
        let mut snapshot = Snapshot::default();
        snapshot.providers.insert("token.actions.githubusercontent.com/acme".to_owned(), provider);
        let mut live = OidcProvider::observe(&snapshot, &place()).remove(0);
        OidcProvider::normalise(&mut live.spec, &place());
        insta::assert_json_snapshot!((&live.physical, &live.spec, &live.outputs), @r#"
[
  "token.actions.githubusercontent.com/acme",
  {
    "url": "https://token.actions.githubusercontent.com/acme",
    "clientIdList": [
      "sts.amazonaws.com",
      "theirs"
    ],
    "thumbprintList": [
      "6938fd4d98bab03faadb97b34396831e3780aea1"
    ]
  },
  {
    "arn": "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com/acme",
    "url": "token.actions.githubusercontent.com/acme"
  }
]
"#);

        let kind = Erased::<OidcProvider>::new();
        let declared =
            json!({"url": "token.actions.githubusercontent.com/acme", "clientIdList": ["sts.amazonaws.com"]});
        let want = kind.normal(&declared, &place()).unwrap();
        assert_eq!(kind.physical(&want, "ignored", &place()), live.physical);
        let live = serde_json::to_value(&live.spec).unwrap();
        assert!(
            crate::diff::walk(&live, &want, &kind.facts().rules, &[]).is_empty(),
            "foreign audiences are no drift"
        );
        let more = kind.normal(&json!({"url": declared["url"], "clientIdList": ["ours"]}), &place()).unwrap();
        assert_eq!(crate::diff::walk(&live, &more, &kind.facts().rules, &[]).len(), 1);
    }

    #[test]
    fn the_example_is_valid_and_mistakes_are_told() {
        let complaints = |spec: Value| -> String {
            let spec: Spec = serde_json::from_value(spec).unwrap();
            let found = OidcProvider::validate(&spec, &place());
            found.iter().map(|found| format!("{}: {}\n", found.path, found.message)).collect()
        };
        let manifest: Value = serde_yaml::from_str(OidcProvider::EXAMPLE).unwrap();
        assert_eq!(complaints(manifest["spec"].clone()), "");
        let wrong = [
            "http://a.example",
            "https://a.example:8443/x",
            "https://A.example",
            "https://a.example/?x=1",
            "https://",
            "https:${logs/LogGroup/a.name}",
        ];
        let found: String =
            wrong.iter().map(|url| complaints(json!({"url": url, "thumbprintList": []}))).collect();
        insta::assert_snapshot!(found, @r#"
url: `http://a.example` does not begin with https://: expected an issuer such as `https://token.actions.githubusercontent.com`
url: `https://a.example:8443/x` names a port, which IAM does not take: expected an issuer such as `https://token.actions.githubusercontent.com`
url: `https://A.example` has capital letters in its host: tokens name it in small ones: expected an issuer such as `https://token.actions.githubusercontent.com`
url: `https://a.example/?x=1` has a query or a fragment, which IAM does not take: expected an issuer such as `https://token.actions.githubusercontent.com`
url: `https://` names no host: expected an issuer such as `https://token.actions.githubusercontent.com`
url: `https:${logs/LogGroup/a.name}` names the provider, and so can't hold a reference: expected an issuer such as `https://token.actions.githubusercontent.com`
"#);
        insta::assert_snapshot!(complaints(json!({"url": "https://a.example", "clientIdList": [""], "thumbprintList": ["69:38"]})), @r#"
clientIdList[0]: has to have 1 to 255 characters
thumbprintList[0]: is not a thumbprint: expected 40 hexadecimal digits without colons
"#);
    }
}
