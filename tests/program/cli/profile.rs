//! What is said where AWS_PROFILE names a profile that gives no credentials: of that profile, and of nothing else.

use std::fs;

use super::{LOGS, Ran, folder, program, ran};

const CONFIG: &str = "
[default]
region = eu-west-1
[profile staging]
sso_session = corporate
sso_account_id = 111111111111
sso_role_name = Deploy
[profile single]
sso_session = single
sso_account_id = 111111111111
sso_role_name = Deploy
[sso-session single]
sso_region = eu-west-1
sso_start_url = https://example.awsapps.com/start
[profile half]
sso_session = single
sso_account_id = 111111111111
[profile bare]
region = eu-west-1
[profile role]
role_arn = arn:aws:iam::111111111111:role/deploy
source_profile = gone
[profile mfa]
role_arn = arn:aws:iam::111111111111:role/deploy
source_profile = gone
mfa_serial = arn:aws:iam::111111111111:mfa/me
[profile sourceless]
role_arn = arn:aws:iam::111111111111:role/deploy
[profile halfkey]
aws_access_key_id = AKIAEXAMPLE
[profile session]
login_session = arn:aws:iam::111111111111:user/me
";

fn with(config: &str, profile: &str) -> Ran {
    let folder = folder(LOGS);
    let file = folder.path().join("config");
    fs::write(&file, config).unwrap();
    let mut command = program(folder.path(), &["plan", "dev"]);
    command.env("AWS_CONFIG_FILE", file).env("HOME", folder.path()).env("AWS_PROFILE", profile);
    let mut ran = ran(command.output().unwrap());
    ran.err = ran.err.replace(&*folder.path().to_string_lossy(), "HOME");
    ran
}

#[test]
fn a_profile_that_is_not_there_is_named_with_those_that_are() {
    let ran = with(CONFIG, "stagign");
    insta::assert_snapshot!(ran.err, @r"
    error: there is no profile `stagign` in HOME/config or /dev/null (AWS_PROFILE names it)
      = help: did you mean `staging`?
      = help: profiles are: bare, default, half, halfkey, mfa, role, session, single, sourceless, staging; set AWS_PROFILE to one of them, or unset it
    ");
    assert_eq!(ran.code, Some(8));
    let none = with("", "nope");
    insta::assert_snapshot!(none.err, @r"
    error: there is no profile `nope` in HOME/config or /dev/null (AWS_PROFILE names it)
      = help: there are no profiles yet: `aws configure sso --profile nope` makes one
    ");
    assert_eq!(none.code, Some(8));
    let broken = with("[profile a\nregion\n", "a");
    assert!(broken.err.contains("HOME/config") && !broken.err.contains("IMDS"), "{}", broken.err);
    assert_eq!(broken.code, Some(8));
}

#[test]
fn a_profile_that_gives_nothing_says_why_and_what_to_do() {
    for (profile, why, what_to_do) in [
        ("staging", "sso-session named `corporate`", "aws sso login --profile staging"),
        ("single", "cached SSO token", "aws sso login --profile single"),
        ("half", "`sso_role_name` must also be set", "aws sso login --profile half"),
        ("bare", "names no credentials", "aws configure sso --profile bare"),
        ("role", "could not find source profile gone", "source_profile"),
        ("sourceless", "`source_profile` or `credential_source`", "source_profile"),
        ("halfkey", "missing aws_secret_access_key", "aws configure list --profile halfkey"),
        ("session", "login", "`aws login --profile session`"),
        ("mfa", "could not find source profile gone", "export-credentials --profile mfa"),
    ] {
        let ran = with(CONFIG, profile);
        let begins = format!("error: the profile `{profile}` gives no credentials: ");
        assert!(ran.err.starts_with(&begins), "{}", ran.err);
        assert!(ran.err.contains(why) && ran.err.contains(what_to_do), "{}", ran.err);
        for stranger in ["IMDS", "metadata", "cargo feature", "provider"] {
            assert!(!ran.err.contains(stranger), "{}", ran.err);
        }
        assert_eq!(ran.code, Some(8), "{}", ran.err);
    }
}
