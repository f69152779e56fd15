//! What headers beside the signature say of a body: `Content-MD5` and `x-amz-checksum-*`.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html>; how a wrong one is refused, also as in
//! <https://github.com/openstack/swift/blob/master/test/s3api/test_object_checksums.py>, which is run against AWS.

use aws_smithy_checksums::http::HttpChecksum;
use aws_smithy_checksums::{Checksum, ChecksumAlgorithm};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use http::HeaderMap;
use md5::{Digest, Md5};

use super::super::request::text;
use super::Wrong;

/// A checksum that S3 knows.
pub struct Known {
    /// Behind `x-amz-checksum-`.
    name: &'static str,
    /// As messages call it.
    pub said: &'static str,
    pub algorithm: ChecksumAlgorithm,
}

impl Known {
    /// Whether this is its header.
    pub fn is(&self, header: &str) -> bool {
        header.strip_prefix("x-amz-checksum-") == Some(self.name)
    }
}

pub const KNOWN: [Known; 5] = [
    Known { name: "crc32", said: "CRC32", algorithm: ChecksumAlgorithm::Crc32 },
    Known { name: "crc32c", said: "CRC32C", algorithm: ChecksumAlgorithm::Crc32c },
    Known { name: "crc64nvme", said: "CRC64NVME", algorithm: ChecksumAlgorithm::Crc64Nvme },
    Known { name: "sha1", said: "SHA1", algorithm: ChecksumAlgorithm::Sha1 },
    Known { name: "sha256", said: "SHA256", algorithm: ChecksumAlgorithm::Sha256 },
];

/// What they say, and what the body has come to so far.
pub struct Stated {
    md5: Option<(Vec<u8>, Md5)>,
    checksum: Option<(&'static str, Vec<u8>, Box<dyn HttpChecksum>)>,
}

impl Stated {
    pub fn of(headers: &HeaderMap) -> Result<Self, Wrong> {
        let md5 = headers.get("content-md5").map(|value| decoded(value.as_bytes(), 16).ok_or(Wrong::NoMd5));
        let md5 = md5.transpose()?.map(|promised| (promised, Md5::new()));
        let mut checksum = None;
        for Known { name, said, algorithm } in KNOWN {
            let Some(value) = text(headers, &format!("x-amz-checksum-{name}")) else { continue };
            if checksum.is_some() {
                return Err(Wrong::Checksums);
            }
            let so_far = algorithm.into_impl();
            let size = usize::try_from(Checksum::size(so_far.as_ref())).unwrap_or(0);
            let promised = decoded(value.as_bytes(), size).ok_or(Wrong::NoChecksum(name))?;
            checksum = Some((said, promised, so_far));
        }
        Ok(Self { md5, checksum })
    }

    /// The checksum is of something else.
    pub fn forget_checksum(&mut self) {
        self.checksum = None;
    }

    pub fn take(&mut self, data: &[u8]) {
        if let Some((_, so_far)) = &mut self.md5 {
            so_far.update(data);
        }
        if let Some((_, _, so_far)) = &mut self.checksum {
            so_far.update(data);
        }
    }

    /// What is wrong, once all was taken.
    pub fn ended(&mut self) -> Option<Wrong> {
        if let Some((promised, so_far)) = self.md5.take()
            && promised[..] != so_far.finalize()[..]
        {
            return Some(Wrong::Md5);
        }
        let (said, promised, so_far) = self.checksum.take()?;
        (promised[..] != so_far.finalize()[..]).then_some(Wrong::Checksum(said))
    }
}

/// So many bytes in base64.
fn decoded(text: &[u8], size: usize) -> Option<Vec<u8>> {
    BASE64_STANDARD.decode(text.trim_ascii()).ok().filter(|bytes| bytes.len() == size)
}
