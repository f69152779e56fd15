//! Other tools' interpolations, which look like IAM's policy variables and mean something else to their author.

/// What CloudFormation calls by these names, and what says it here.
const PSEUDO_PARAMETERS: &[(&str, &str)] = &[
    ("AWS::AccountId", "write `${env.account}`"),
    ("AWS::NoValue", "leave the field out"),
    ("AWS::NotificationARNs", "write the ARNs out, or as a variable of environment.yaml"),
    ("AWS::Partition", "write `${env.partition}`"),
    ("AWS::Region", "write `${env.region}`"),
    ("AWS::StackId", "there is no CloudFormation stack here: write a name, such as `${env.name}`"),
    ("AWS::StackName", "there is no CloudFormation stack here: write a name, such as `${env.name}`"),
    ("AWS::URLSuffix", "write `${env.dnsSuffix}`"),
];

/// What the Serverless Framework resolves by these prefixes, apart from those that are our own words. None is IAM's.
const SERVERLESS: &[&str] = &["self", "opt", "sls", "param", "cf", "custom"];

/// What is wrong with a name with a colon, and what to write instead; nothing, if it may be IAM's or the shell's.
pub fn refused(name: &str) -> Option<(String, String)> {
    let theirs = |whose: &str| format!("`${{{name}}}` is {whose}: nothing here would replace it");
    if let Some(inner) = name.strip_prefix('!') {
        return Some((
            theirs("CloudFormation's way to write a literal `${`"),
            format!("write `${{{inner}}}`"),
        ));
    }
    if name.contains("::") {
        let known = PSEUDO_PARAMETERS.iter().find(|(pseudo, _)| pseudo.eq_ignore_ascii_case(name));
        let all = "write `${env.account}`, `${env.region}`, `${env.partition}` or `${env.dnsSuffix}`";
        return Some((theirs("CloudFormation's"), known.map_or(all, |(_, instead)| instead).to_owned()));
    }
    let (prefix, rest) = name.split_once(':')?;
    // The shell has these behind the name of a variable: `${env:-none}`.
    if rest.starts_with(['-', '=', '+', '?', ' ']) || rest.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    match prefix {
        "var" | "env" | "image" => {
            Some((format!("`${{{name}}}` stands for nothing"), format!("write `${{{prefix}.{rest}}}`")))
        }
        "ssm" if rest.starts_with('/') => Some((
            theirs("the Serverless Framework's"),
            "write the value out, or as a variable of environment.yaml: `${var.…}`".to_owned(),
        )),
        prefix if SERVERLESS.contains(&prefix) => Some((
            theirs("the Serverless Framework's"),
            "write it as a variable of environment.yaml: `${var.…}`".to_owned(),
        )),
        _ => None,
    }
}

/// Whether CloudFormation replaces this name: it is no secret, wherever it stands.
pub fn is_pseudo(name: &str) -> bool {
    PSEUDO_PARAMETERS.iter().any(|(pseudo, _)| pseudo.eq_ignore_ascii_case(name))
}

/// The same as [`refused`] of a name in a masked value, of which nothing is told that may be part of a password: whose it is shows
/// from where it begins.
pub fn refused_masked(name: &str) -> Option<(String, String)> {
    if is_pseudo(name) {
        return refused(name);
    }
    refused(name)?;
    let ours = ["var", "env", "image"].iter().chain(SERVERLESS);
    let mut starts =
        ours.map(|prefix| format!("{prefix}:")).chain(["!", "AWS::", "ssm:/"].map(str::to_owned));
    refused(&format!("{}…", starts.find(|start| name.starts_with(start))?))
}

/// What another tool would have replaced in a text though it is no `${…}`: as it stands there, what is wrong with it, and what to
/// write instead. No service resolves it either
/// (<https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references.html>).
pub fn unresolved(text: &str) -> Option<(&str, String, String)> {
    if let Some(whole) = between(text, "{{resolve:", "}}") {
        return Some((
            whole,
            format!("`{whole}` is CloudFormation's dynamic reference: nothing here would replace it"),
            "name the parameter or secret under `secrets` of the container, or write the value as a variable of environment.yaml: `${var.…}`"
                .to_owned(),
        ));
    }
    // A plugin of the Serverless Framework, and what is mistyped.
    for (open, close) in [("#{AWS::", "}"), ("$(AWS::", ")")] {
        if let Some(whole) = between(text, open, close) {
            let name = whole.get(2..whole.len() - close.len()).unwrap_or_default();
            let (_, help) = refused(name)?;
            return Some((
                whole,
                format!("`{whole}` is CloudFormation's: nothing here would replace it"),
                help,
            ));
        }
    }
    None
}

/// What may be told of what is unresolved where it stands in a masked value.
pub fn beginning(whole: &str) -> String {
    let name = whole.get(2..whole.len().saturating_sub(1)).unwrap_or_default();
    match whole.split_once(':') {
        Some((start, _)) if !is_pseudo(name) => {
            let end =
                if whole.ends_with("}}") { "}}" } else { whole.get(whole.len() - 1..).unwrap_or_default() };
            format!("{start}:…{end}")
        }
        _ => whole.to_owned(),
    }
}

/// The first part of a text that begins and ends so.
fn between<'t>(text: &'t str, open: &str, close: &str) -> Option<&'t str> {
    let from = text.get(text.find(open)?..)?;
    from.get(..from.find(close)? + close.len())
}

#[cfg(test)]
mod tests {
    use super::{beginning, refused, refused_masked, unresolved};

    #[test]
    fn references_of_other_forms_are_refused() {
        for (text, whole, ours) in [
            ("{{resolve:ssm:/a/b:1}}", "{{resolve:ssm:/a/b:1}}", "`secrets`"),
            (
                "x-{{resolve:secretsmanager:s:SecretString:p}}-y",
                "{{resolve:secretsmanager:s:SecretString:p}}",
                "`${var.…}`",
            ),
            ("arn:aws:s3:#{AWS::Region}:x", "#{AWS::Region}", "`${env.region}`"),
            ("$(AWS::AccountId)", "$(AWS::AccountId)", "`${env.account}`"),
        ] {
            let (found, message, help) = unresolved(text).unwrap();
            assert_eq!(found, whole);
            assert!(message.contains(whole) && help.contains(ours), "{message}: {help}");
        }
        for text in [
            "{{resolve:",
            "#{job}",
            "$(aws sts get-caller-identity)",
            "{{ssm:x}}",
            "${AWS::Region}",
            "resolve:ssm:/a",
        ] {
            assert_eq!(unresolved(text), None, "{text}");
        }
    }

    #[test]
    fn what_iam_and_the_shell_know_stays() {
        for name in [
            "aws:username",
            "aws:PrincipalTag/team, 'none'",
            "s3:prefix",
            "saml:sub",
            "token.actions.githubusercontent.com:sub",
            "cognito-identity.amazonaws.com:sub",
            "iot:Connection.Thing.ThingName",
            "ssm:resourceTag/team",
            "AWS_BATCH_JOB_ID:-none",
            "env:-prod",
            "self:+x",
            "NAME:0:3",
            "NAME: -3",
            "REQUIRED:?is missing",
            "X:=1",
        ] {
            assert_eq!(refused(name), None, "{name}");
        }
    }

    #[test]
    fn what_other_tools_mean_is_refused_with_ours() {
        for (name, ours) in [
            ("AWS::AccountId", "${env.account}"),
            ("AWS::Region", "${env.region}"),
            ("AWS::Partition", "${env.partition}"),
            ("AWS::URLSuffix", "${env.dnsSuffix}"),
            ("AWS::StackName", "${env.name}"),
            ("AWS::StackId", "${env.name}"),
            ("AWS::NoValue", "leave the field out"),
            ("AWS::NotificationARNs", "variable"),
            ("aws::accountid", "${env.account}"),
            ("AWS::Foo", "${env.region}"),
            ("!aws:username", "${aws:username}"),
            ("self:provider.stage", "${var."),
            ("opt:stage", "${var."),
            ("ssm:/path/to/secret", "${var."),
            ("env:account", "${env.account}"),
            ("var:size", "${var.size}"),
        ] {
            let (message, help) = refused(name).unwrap_or_else(|| panic!("{name} passes"));
            assert!(help.contains(ours), "{name}: {message}: {help}");
        }
    }

    #[test]
    fn of_a_masked_name_only_its_beginning_is_told() {
        for (name, whole) in [
            ("AWS::Region", "`${AWS::Region}`"),
            ("AWS::canary", "`${AWS::…}`"),
            ("self:canary", "`${self:…}`"),
            ("ssm:/canary", "`${ssm:/…}`"),
            ("var:canary", "`${var:…}`"),
            ("!canary", "`${!…}`"),
        ] {
            let (message, help) = refused_masked(name).unwrap();
            assert!(
                message.contains(whole) && !format!("{message}{help}").contains("canary"),
                "{message}: {help}"
            );
        }
        for (whole, told) in [
            ("{{resolve:ssm:/canary}}", "{{resolve:…}}"),
            ("#{AWS::Region}", "#{AWS::Region}"),
            ("$(AWS::canary)", "$(AWS:…)"),
        ] {
            assert_eq!(beginning(whole), told);
        }
        for name in ["canary::x", "canary", "aws:canary"] {
            assert_eq!(refused_masked(name), None, "{name}");
        }
    }
}
