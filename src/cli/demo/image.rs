//! The worker's image: in the sandbox a manifest in the registry whose digest stands for a program of this machine.

use std::io::Read;
use std::path::{Path, PathBuf};

use serde_json::json;
use sha2::{Digest, Sha256};

use super::super::{Connection, Error, Result};
use crate::resource::{Desired, Image as Named};
use crate::services::failed;

/// The kind of manifest that `docker push` sends.
const MEDIA_TYPE: &str = "application/vnd.docker.distribution.manifest.v2+json";

/// An image that can be pushed: what CI has after `docker build`.
pub struct Image {
    /// The name that `${image.<name>}` gives it.
    pub name: String,
    /// `<repository uri>@sha256:<digest>`.
    pub reference: String,
    /// The repository's name in AWS.
    repository: String,
    tag: String,
    manifest: String,
    program: PathBuf,
}

impl Image {
    /// The image that an environment asks for, with this program in it. A registry's digest of an image is the hash of its
    /// manifest, so that it is known before anything is pushed; the manifest names its content by hash in turn.
    pub fn build(desired: &Desired, program: &Path) -> Result<Self> {
        let Some((name, Named { repository, tag, .. })) = desired.images.first_key_value() else {
            return Err(Error::plain("failed to build an image: the environment names none"));
        };
        let Some(repository) = desired.resources.get(repository).map(|it| it.physical_name.clone()) else {
            return Err(Error::plain(format!("failed to build an image: {repository} is not declared")));
        };
        let (layer, size) = hash_of(program).map_err(|error| {
            Error::plain(format!("failed to read {}: {error}", crate::outside::path(program)))
        })?;
        let config =
            json!({ "os": "linux", "config": { "Entrypoint": ["/batchwright-worker"] }, "rootfs": [layer] });
        let config = config.to_string();
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": MEDIA_TYPE,
            "config": {
                "mediaType": "application/vnd.docker.container.image.v1+json",
                "size": config.len(),
                "digest": digest_of(config.as_bytes()),
            },
            "layers": [{ "mediaType": "application/vnd.docker.image.rootfs.diff.tar", "size": size, "digest": layer }],
        });
        let manifest = manifest.to_string();
        let place = &desired.place;
        let registry = format!("{}.dkr.ecr.{}.{}", place.account, place.region, place.dns_suffix());
        Ok(Self {
            name: name.clone(),
            reference: format!("{registry}/{repository}@{}", digest_of(manifest.as_bytes())),
            repository,
            tag: tag.clone(),
            manifest,
            program: program.to_owned(),
        })
    }

    /// Puts it into the registry, and has the sandbox run its program for jobs that name it.
    pub async fn push(&self, connection: &Connection) -> Result<()> {
        let put = aws_sdk_ecr::Client::new(connection.config())
            .put_image()
            .repository_name(&self.repository)
            .image_tag(&self.tag)
            .image_manifest(&self.manifest)
            .image_manifest_media_type(MEDIA_TYPE)
            .send();
        put.await.map_err(failed).map_err(Error::aws("push the image"))?;
        if let Some(sandbox) = connection.sandbox() {
            sandbox.batch().map_image(&self.reference, self.program.clone(), Vec::new());
        }
        Ok(())
    }

    /// `<repository>:<tag>`, as people call it.
    pub fn tagged(&self) -> String {
        format!("{}:{}", self.repository, self.tag)
    }
}

fn digest_of(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// A file's digest and size.
fn hash_of(path: &Path) -> std::io::Result<(String, u64)> {
    let mut file = std::fs::File::open(path)?;
    let (mut hash, mut size) = (Sha256::new(), 0);
    let mut block = vec![0; 1 << 20];
    loop {
        let read = file.read(&mut block)?;
        let Some(read) = block.get(..read).filter(|read| !read.is_empty()) else {
            return Ok((hex(&hash.finalize()), size));
        };
        hash.update(read);
        size += read.len() as u64;
    }
}

fn hex(hash: &[u8]) -> String {
    let digits: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{digits}")
}
