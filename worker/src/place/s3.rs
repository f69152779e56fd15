//! Objects of S3.

mod download;
mod failure;

use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream;

use super::{Cause, Error, Place};
use download::Download;

/// A client for S3.
#[derive(Debug)]
pub(super) struct S3 {
    client: Client,
}

impl S3 {
    /// Takes credentials, region and endpoint from where every AWS tool takes them.
    pub(super) async fn connect() -> Result<S3, Error> {
        let settings = aws_config::load_from_env().await;
        if settings.region().is_none() {
            return Err(Error::new("use", "S3", Cause::Refused, "no region is set: AWS_REGION names it"));
        }
        // The SDK puts the variable of one service over that of all.
        let endpoint = std::env::var("AWS_ENDPOINT_URL_S3").ok();
        let path_style = endpoint.as_deref().or(settings.endpoint_url()).is_some_and(needs_path_style);
        let config = aws_sdk_s3::config::Builder::from(&settings).force_path_style(path_style).build();
        Ok(S3 { client: Client::from_conf(config) })
    }

    /// Starts to download the object.
    pub(super) async fn open(&self, bucket: &str, key: &str) -> Result<Download, Error> {
        Download::start(self.client.clone(), bucket, key).await
    }

    /// Puts the object in one request, which S3 makes visible as a whole.
    pub(super) async fn write(
        &self,
        bucket: &str,
        key: &str,
        content: Vec<u8>,
        content_type: &str,
    ) -> Result<(), Error> {
        let request = self.client.put_object().bucket(bucket).key(key).content_type(content_type);
        match request.body(ByteStream::from(content)).send().await {
            Ok(_) => Ok(()),
            Err(error) => Err(failure::classify("write", &Place::s3(bucket, key), "s3:PutObject", &error)),
        }
    }
}

/// Whether the endpoint's host can't carry a bucket's name before it: an address, or this machine.
fn needs_path_style(endpoint: &str) -> bool {
    let rest = endpoint.split_once("://").map_or(endpoint, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if authority.starts_with('[') {
        return true;
    }
    let host = authority.rsplit_once(':').map_or(authority, |(host, _)| host);
    host.eq_ignore_ascii_case("localhost") || host.parse::<std::net::Ipv4Addr>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_or_this_machine_is_addressed_by_path() {
        for endpoint in
            ["http://127.0.0.1:4566", "http://localhost:9000/", "https://10.0.0.7", "http://[::1]:80"]
        {
            assert!(needs_path_style(endpoint), "{endpoint}");
        }
        for endpoint in
            ["https://s3.eu-west-1.amazonaws.com", "https://localhost.example.com", "http://minio:9000"]
        {
            assert!(!needs_path_style(endpoint), "{endpoint}");
        }
    }
}
