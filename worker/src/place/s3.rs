//! Objects of S3.

mod download;
mod failure;
mod patience;
mod upload;

use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream;
use bytes::{Bytes, BytesMut};

use super::{Cause, Entry, Error, Place};
use download::{Download, Span};
pub(crate) use failure::chain;
pub(super) use upload::{Upload, Uploads};

/// A client for S3.
#[derive(Debug, Clone)]
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
        Download::start(self.client.clone(), bucket, key, Span::default()).await
    }

    /// Starts to download the bytes from `from` to before `to` of the object's version `etag`.
    pub(super) async fn open_part(
        &self,
        (bucket, key): (&str, &str),
        (from, to): (u64, u64),
        etag: &str,
    ) -> Result<Download, Error> {
        let span = Span { from, to: Some(to), etag: Some(etag.to_owned()).filter(|etag| !etag.is_empty()) };
        Download::start(self.client.clone(), bucket, key, span).await
    }

    /// The bytes from `from` to before `to` of the object's version `etag`, all at once.
    pub(super) async fn fetch(
        &self,
        name: (&str, &str),
        (from, to): (u64, u64),
        etag: &str,
    ) -> Result<Bytes, Error> {
        let mut download = self.open_part(name, (from, to), etag).await?;
        let mut bytes = BytesMut::with_capacity(usize::try_from(to - from).unwrap_or(0));
        while let Some(piece) = download.next().await? {
            bytes.extend_from_slice(&piece);
        }
        Ok(bytes.freeze())
    }

    /// All of a small object.
    pub(super) async fn read(&self, bucket: &str, key: &str) -> Result<Vec<u8>, Error> {
        let mut download = self.open(bucket, key).await?;
        let mut bytes = Vec::new();
        while let Some(piece) = download.next().await? {
            bytes.extend_from_slice(&piece);
        }
        Ok(bytes)
    }

    /// The object's size and version.
    pub(super) async fn look(&self, bucket: &str, key: &str) -> Result<Entry, Error> {
        let place = Place::s3(bucket, key);
        match self.client.head_object().bucket(bucket).key(key).send().await {
            Ok(found) => {
                let size = size(found.content_length());
                Ok(Entry { place, size, version: found.e_tag.unwrap_or_default() })
            }
            Err(error) => {
                // An answer to HEAD has no body, so that it can't say what is wrong: the same as a GET can.
                let again = self.client.get_object().bucket(bucket).key(key).range("bytes=0-0").send().await;
                Err(match again {
                    Err(error) if error.raw_response().is_some() => {
                        failure::classify("read", &place, "s3:GetObject", &error)
                    }
                    _ => failure::classify("read", &place, "s3:GetObject", &error),
                })
            }
        }
    }

    /// All objects whose key begins with `prefix`, by key.
    pub(super) async fn list(&self, bucket: &str, prefix: &str) -> Result<Vec<Entry>, Error> {
        let pages = self.client.list_objects_v2().bucket(bucket).prefix(prefix).into_paginator();
        let mut pages = pages.send();
        let mut found = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| {
                failure::classify("list", &Place::s3(bucket, prefix), "s3:ListBucket", &error)
            })?;
            found.extend(page.contents.unwrap_or_default().into_iter().map(|object| Entry {
                place: Place::s3(bucket, object.key.unwrap_or_default()),
                size: size(object.size),
                version: object.e_tag.unwrap_or_default(),
            }));
        }
        Ok(found)
    }

    /// Starts to write the object, piece by piece.
    pub(super) fn create(&self, uploads: &Uploads, place: &Place, content_type: &str) -> Upload {
        uploads.start(self.client.clone(), place, content_type)
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

    /// Takes the object away, if it is there.
    pub(super) async fn delete(&self, bucket: &str, key: &str) -> Result<(), Error> {
        match self.client.delete_object().bucket(bucket).key(key).send().await {
            Ok(_) => Ok(()),
            Err(error) => {
                Err(failure::classify("remove", &Place::s3(bucket, key), "s3:DeleteObject", &error))
            }
        }
    }
}

fn size(length: Option<i64>) -> u64 {
    length.and_then(|length| u64::try_from(length).ok()).unwrap_or(0)
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
