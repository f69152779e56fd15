//! What the Batch service asks of other services, as a seam that tests fill in.

use futures::future::BoxFuture;

/// One line of a job's output, with its time in milliseconds since 1970.
pub type Line = (u64, String);

/// An answer of another service; the error is text for people.
pub type Answer<'a, T> = BoxFuture<'a, Result<T, String>>;

/// How a launch template is named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TemplateName {
    /// By its id.
    Id(String),
    /// By its name.
    Name(String),
}

/// What EC2 says of a version of a launch template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Template {
    /// There is no such template.
    None,
    /// There is no such version of it.
    NoVersion,
    /// There is.
    Found {
        /// Its user data, in base64.
        user_data: Option<String>,
    },
}

/// The services around AWS Batch: IAM, EC2 and CloudWatch Logs.
pub trait World: Send + Sync + 'static {
    /// The role's trust policy as JSON, or nothing if there is no such role.
    fn trust_policy<'a>(&'a self, role: &'a str) -> Answer<'a, Option<String>>;
    /// Whether there is an instance profile of this name.
    fn has_instance_profile<'a>(&'a self, name: &'a str) -> Answer<'a, bool>;
    /// The first of these subnets that does not exist.
    fn missing_subnet<'a>(&'a self, ids: &'a [String]) -> Answer<'a, Option<String>>;
    /// The first of these security groups that does not exist.
    fn missing_security_group<'a>(&'a self, ids: &'a [String]) -> Answer<'a, Option<String>>;
    /// A version of a launch template: a number, `$Latest` or `$Default`.
    fn launch_template<'a>(&'a self, asked: &'a TemplateName, version: &'a str) -> Answer<'a, Template>;
    /// Creates a log stream, and its group if asked to. The error is the one that CloudWatch Logs gave.
    fn open_stream<'a>(&'a self, group: &'a str, stream: &'a str, with_group: bool) -> Answer<'a, ()>;
    /// Appends lines to a stream, in order.
    fn put_lines<'a>(&'a self, group: &'a str, stream: &'a str, lines: Vec<Line>) -> Answer<'a, ()>;
}
