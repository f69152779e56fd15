//! Requests to GitHub's REST API: the token, pages, and when to try again.
//!
//! Runs on the HTTP client that the SDKs bring, so that one TLS stack serves both (docs/decisions/github.md).

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_smithy_http_client::Connector;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use aws_smithy_runtime_api::client::http::{HttpConnector, SharedHttpConnector};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_types::body::SdkBody;
use serde_json::{Value, json};

use super::{Context, Error, Result};
use crate::services::error::chain;
use crate::services::{begins, read};

/// How often and how long GitHub is waited for.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// Tries of one request.
    pub tries: u32,
    /// The pause before the second try; it doubles.
    pub pause: Duration,
    /// The longest pause that is kept, also if GitHub asks for a longer one.
    pub longest: Duration,
    /// How long one try may take.
    pub attempt: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            tries: 5,
            pause: Duration::from_secs(1),
            longest: Duration::from_secs(120),
            attempt: Duration::from_secs(30),
        }
    }
}

/// Speaks for one repository.
pub struct Client {
    connector: SharedHttpConnector,
    api: String,
    graphql: String,
    repository: String,
    token: String,
    patience: Patience,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("api", &self.api).field("repository", &self.repository).finish()
    }
}

/// An answer: its body, and the page after it.
struct Answer {
    body: Value,
    next: Option<String>,
}

/// Why one try did not do.
enum Failed {
    /// Trying again may help, after this pause if one was named. `done`: the work may have been done all the same.
    Later { pause: Option<Duration>, done: bool, message: String, status: Option<u16> },
    /// Trying again will not help.
    Never(Error),
}

impl Client {
    /// A client for the repository that the run is about.
    pub fn new(context: &Context, patience: Patience) -> Result<Self> {
        let tls = Provider::Rustls(CryptoMode::AwsLc);
        Ok(Self {
            connector: SharedHttpConnector::new(Connector::builder().tls_provider(tls).build()),
            api: context.api.clone(),
            graphql: context.graphql.clone(),
            repository: context.repository.clone(),
            token: context.token()?.to_owned(),
            patience,
        })
    }

    /// All items of a list, page after page. `path` is below `/repos/<repository>`, with its query.
    pub async fn list(&self, path: &str) -> Result<Vec<Value>> {
        self.pages(path, None, usize::MAX).await
    }

    /// The first items of a list, at most so many. `key`: what the list stands under in each page, where it is not the page.
    pub async fn first(&self, path: &str, key: Option<&str>, most: usize) -> Result<Vec<Value>> {
        self.pages(path, key, most).await
    }

    async fn pages(&self, path: &str, key: Option<&str>, most: usize) -> Result<Vec<Value>> {
        let mut url = Some(self.url(path));
        let mut items = Vec::new();
        while let Some(page) = url.filter(|_| items.len() < most) {
            let Answer { mut body, next } = self.send("GET", path, &page, None).await?;
            let found = match key {
                Some(key) => body.get_mut(key).map(Value::take),
                None => Some(body),
            };
            let Some(Value::Array(found)) = found else {
                return Err(unknown("GET", path, "the answer is no list"));
            };
            items.extend(found);
            // The token goes nowhere but to the API that it is for.
            url = next.filter(|next| next.starts_with(&format!("{}/", self.api)));
        }
        items.truncate(most);
        Ok(items)
    }

    /// What the GraphQL API answers to a query, for what the REST API does not tell.
    pub async fn query(&self, query: &str, variables: &Value) -> Result<Value> {
        const PATH: &str = "/graphql";
        let body = json!({ "query": query, "variables": variables });
        let mut tries = 1;
        let mut answer = loop {
            // A query changes nothing: it may be sent again, whatever became of it.
            match self.send("POST", PATH, &self.graphql, Some(&body)).await {
                Err(Error::Unknown { .. }) if tries < self.patience.tries => tries += 1,
                other => break other?.body,
            }
        };
        match answer.get_mut("data").map(Value::take) {
            Some(data) if !data.is_null() => Ok(data),
            _ => Err(unknown("POST", PATH, &words(&answer))),
        }
    }

    /// One thing.
    pub async fn get(&self, path: &str) -> Result<Value> {
        Ok(self.send("GET", path, &self.url(path), None).await?.body)
    }

    /// Makes something. Not tried again where it may have been made: look first.
    pub async fn post(&self, path: &str, body: &Value) -> Result<Value> {
        Ok(self.send("POST", path, &self.url(path), Some(body)).await?.body)
    }

    /// Changes something.
    pub async fn patch(&self, path: &str, body: &Value) -> Result<Value> {
        Ok(self.send("PATCH", path, &self.url(path), Some(body)).await?.body)
    }

    /// Removes something; that it is gone already is no error.
    pub async fn delete(&self, path: &str) -> Result<()> {
        match self.send("DELETE", path, &self.url(path), None).await {
            Err(Error::Refused { status: 404, .. }) => Ok(()),
            other => other.map(drop),
        }
    }

    fn url(&self, path: &str) -> String {
        format!("{}/repos/{}{path}", self.api, self.repository)
    }

    async fn send(
        &self,
        method: &'static str,
        path: &str,
        url: &str,
        body: Option<&Value>,
    ) -> Result<Answer> {
        let mut pause = self.patience.pause;
        for attempt in 1.. {
            match self.once(method, path, url, body).await {
                Ok(answer) => return Ok(answer),
                Err(Failed::Never(error)) => return Err(error),
                Err(Failed::Later { pause: asked, done, message, status }) => {
                    let longer_than_kept = asked.is_some_and(|asked| asked > self.patience.longest);
                    if attempt >= self.patience.tries || longer_than_kept || (done && method == "POST") {
                        return Err(match status {
                            Some(status @ (403 | 429)) if !done => {
                                let wait = asked.unwrap_or(pause);
                                Error::Limited { method, path: path.to_owned(), status, message, wait }
                            }
                            Some(status) if !done => {
                                Error::Refused { method, path: path.to_owned(), status, message }
                            }
                            _ => unknown(method, path, &message),
                        });
                    }
                    tracing::info!(method, path, attempt, "GitHub is asked again: {message}");
                    tokio::time::sleep(asked.unwrap_or(pause).min(self.patience.longest)).await;
                    pause *= 2;
                }
            }
        }
        Err(unknown(method, path, "it was not tried"))
    }

    async fn once(
        &self,
        method: &'static str,
        path: &str,
        url: &str,
        body: Option<&Value>,
    ) -> std::result::Result<Answer, Failed> {
        let request =
            self.request(method, url, body).map_err(|why| Failed::Never(unknown(method, path, &why)))?;
        let later = |message: String| Failed::Later { pause: None, done: true, message, status: None };
        let answered = tokio::time::timeout(self.patience.attempt, async {
            let mut response = self.connector.call(request).await.map_err(|error| later(chain(&error)))?;
            let body = read(response.take_body()).await.map_err(|error| later(chain(&*error)))?;
            Ok::<_, Failed>((response, body))
        });
        let (response, body) = answered.await.map_err(|_| later("no answer in time".to_owned()))??;
        let status = response.status().as_u16();
        let body: Value = if body.is_empty() {
            Value::Null
        } else {
            serde_json::from_slice(&body).unwrap_or_else(|_| String::from_utf8_lossy(&body).into())
        };
        let header = |name: &str| response.headers().get(name);
        match status {
            200..=299 => Ok(Answer { next: next_page(&response), body }),
            500..=599 => {
                Err(Failed::Later { pause: None, done: true, message: words(&body), status: Some(status) })
            }
            403 | 429 => match pause_of(status, &header, &words(&body), SystemTime::now()) {
                Some(pause) => Err(Failed::Later {
                    pause: Some(pause),
                    done: false,
                    message: words(&body),
                    status: Some(status),
                }),
                None => Err(Failed::Never(refused(method, path, status, &body))),
            },
            _ => Err(Failed::Never(refused(method, path, status, &body))),
        }
    }

    fn request(
        &self,
        method: &str,
        url: &str,
        body: Option<&Value>,
    ) -> std::result::Result<HttpRequest, String> {
        let mut request =
            HttpRequest::new(body.map_or_else(SdkBody::empty, |body| SdkBody::from(body.to_string())));
        request.set_method(method).map_err(|error| error.to_string())?;
        request.set_uri(url.to_owned()).map_err(|error| error.to_string())?;
        let headers = request.headers_mut();
        let set = [
            ("accept", "application/vnd.github+json".to_owned()),
            ("authorization", format!("Bearer {}", self.token)),
            ("user-agent", concat!("batchwright/", env!("CARGO_PKG_VERSION")).to_owned()),
            ("x-github-api-version", "2022-11-28".to_owned()),
        ];
        for (name, value) in set {
            headers.try_insert(name, value).map_err(|error| error.to_string())?;
        }
        if let Some(body) = body {
            let length = body.to_string().len().to_string();
            headers.try_insert("content-type", "application/json").map_err(|error| error.to_string())?;
            headers.try_insert("content-length", length).map_err(|error| error.to_string())?;
        }
        Ok(request)
    }
}

/// How long GitHub wants to be left alone; nothing, if it simply forbids.
/// <https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api>
fn pause_of<'a>(
    status: u16,
    header: &dyn Fn(&str) -> Option<&'a str>,
    message: &str,
    now: SystemTime,
) -> Option<Duration> {
    let number = |name: &str| header(name).and_then(|value| value.trim().parse::<u64>().ok());
    if let Some(seconds) = number("retry-after") {
        return Some(Duration::from_secs(seconds));
    }
    if header("x-ratelimit-remaining") == Some("0") {
        // Without a word on when it begins anew: it is an hour's.
        let Some(reset) = number("x-ratelimit-reset") else { return Some(Duration::from_secs(3600)) };
        let reset = UNIX_EPOCH + Duration::from_secs(reset);
        return Some(reset.duration_since(now).unwrap_or_default() + Duration::from_secs(1));
    }
    // A secondary limit without a word on how long: "wait for at least one minute".
    let limited = status == 429 || message.to_ascii_lowercase().contains("secondary rate limit");
    limited.then_some(Duration::from_secs(60))
}

fn next_page(response: &HttpResponse) -> Option<String> {
    let links = response.headers().get("link")?;
    links.split(',').find_map(|link| {
        let (url, parameters) = link.trim().strip_prefix('<')?.split_once('>')?;
        parameters.contains("rel=\"next\"").then(|| url.to_owned())
    })
}

/// GitHub's own words: its message, and what it says of each field.
fn words(body: &Value) -> String {
    let message = match body {
        // What a proxy answers is no JSON.
        Value::String(text) => begins(text.as_bytes()),
        body => body.get("message").and_then(Value::as_str).unwrap_or("no message").to_owned(),
    };
    let of = |error: &Value| error.get("message").or_else(|| error.get("code")).map(|it| it.to_string());
    let errors = body.get("errors").and_then(Value::as_array).into_iter().flatten();
    errors.fold(message, |message, error| {
        format!("{message}; {}", of(error).unwrap_or_else(|| error.to_string()))
    })
}

fn refused(method: &'static str, path: &str, status: u16, body: &Value) -> Error {
    Error::Refused { method, path: path.to_owned(), status, message: words(body) }
}

fn unknown(method: &'static str, path: &str, message: &str) -> Error {
    Error::Unknown { method, path: path.to_owned(), message: message.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pause(status: u16, headers: &[(&str, &'static str)], message: &str) -> Option<u64> {
        let header = |name: &str| headers.iter().find(|(key, _)| *key == name).map(|(_, value)| *value);
        let now = UNIX_EPOCH + Duration::from_secs(1_000);
        pause_of(status, &header, message, now).map(|pause| pause.as_secs())
    }

    #[test]
    fn githubs_own_pause_is_kept() {
        assert_eq!(pause(403, &[("retry-after", "7")], ""), Some(7));
        let spent = [("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1030")];
        assert_eq!(pause(403, &spent, "API rate limit exceeded"), Some(31));
        let past = [("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "10")];
        assert_eq!(pause(429, &past, ""), Some(1));
        assert_eq!(pause(403, &[("x-ratelimit-remaining", "0")], "forbidden"), Some(3600));
        assert_eq!(pause(403, &[], "You have exceeded a secondary rate limit."), Some(60));
        assert_eq!(pause(403, &[("x-ratelimit-remaining", "4999")], "Resource not accessible"), None);
    }

    #[test]
    fn githubs_words_are_kept_whole() {
        let body = serde_json::json!({"message": "Validation Failed", "errors": [{"message": "body is too long"}, "x"]});
        assert_eq!(words(&body), "Validation Failed; \"body is too long\"; \"x\"");
    }
}
