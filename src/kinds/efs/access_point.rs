//! `efs/AccessPoint`: a folder of a file system, used as somebody.

use aws_sdk_efs::types::{
    AccessPointDescription, CreationInfo as SdkCreation, LifeCycleState, PosixUser as SdkUser,
    RootDirectory as SdkRoot,
};

use super::file_system::FILE_SYSTEM;
use crate::kind::prelude::*;
use crate::services::efs::{Efs, Snapshot, tag_list};

/// An EFS access point.
pub struct AccessPoint;

/// What a manifest declares of an access point.
#[spec]
pub struct Spec {
    /// The file system.
    #[field(
        create_only,
        length(..=128),
        regex(FILE_SYSTEM),
        refers("efs/FileSystem.id", "efs/FileSystem.fileSystemId")
    )]
    pub file_system_id: String,
    /// As whom files are read and written through it; absent: as whoever the client says.
    #[field(empty, create_only)]
    pub posix_user: Option<PosixUser>,
    /// The folder that is its root.
    #[field(default, create_only)]
    pub root_directory: RootDirectory,
}

/// As whom files are read and written.
#[spec]
pub struct PosixUser {
    /// The user's id.
    #[field(range(0..=4_294_967_295_i64))]
    pub uid: i64,
    /// The group's id.
    #[field(range(0..=4_294_967_295_i64))]
    pub gid: i64,
    /// Further groups' ids.
    #[field(empty, set, length(..=16), inner(range(0..=4_294_967_295_i64)))]
    pub secondary_gids: Vec<i64>,
}

/// The folder that is an access point's root.
#[spec(default)]
pub struct RootDirectory {
    /// Its path: at most four folders deep.
    #[field(default = "/", length(1..=100), regex(PATH))]
    pub path: String,
    /// As whose EFS makes the folder where there is none yet. Without it, a folder that is not there can't be mounted.
    #[field(empty)]
    pub creation_info: Option<CreationInfo>,
}

/// Service model, Path: no folder's name begins with a dot.
const PATH: &str = r"^(/|(/[^.$#<>;`|&?{}^*/\n][^$#<>;`|&?{}^*/\n]*){1,4})$";

/// As whose a folder is made.
#[spec]
pub struct CreationInfo {
    /// The owner's id.
    #[field(range(0..=4_294_967_295_i64))]
    pub owner_uid: i64,
    /// The id of its group.
    #[field(range(0..=4_294_967_295_i64))]
    pub owner_gid: i64,
    /// Its mode, in octal digits: `"0755"`.
    #[field(length(3..=4), regex("^[0-7]{3,4}$"))]
    pub permissions: String,
}

/// What AWS assigns to an access point.
#[outputs]
pub struct Outputs {
    /// Its id: `fsap-…`.
    pub id: String,
    /// The same, as CloudFormation calls it.
    pub access_point_id: String,
    /// Its ARN.
    pub arn: String,
    /// The file system that it is of.
    pub file_system_id: String,
}

/// Properties of AWS::EFS::AccessPoint that are left as they are, and why.
pub const NOT_MANAGED: &[(&str, &str)] =
    &[("accessPointTags", "metadata.tags"), ("clientToken", "it comes from the step that creates")];

const POINTS: &[On] = &[On::Regional("elasticfilesystem", "access-point/*")];

impl Kind for AccessPoint {
    type Spec = Spec;
    type Outputs = Outputs;
    type Service = Efs;
    type Seen = ();

    const NAME: &'static str = "efs/AccessPoint";
    const NAMES: NameRule = NameRule::NONE;
    const ABOUT: &'static str =
        "An EFS access point: a folder of a file system, read and written as one user.";
    const CLOUDFORMATION: &'static str = "AWS::EFS::AccessPoint";
    const NOT_MANAGED: &'static [(&'static str, &'static str)] = NOT_MANAGED;
    const GRANTS: Grants = Grants {
        read: &[Grant::any(actions![elasticfilesystem: DescribeAccessPoints])],
        write: &[
            // It is allowed on the file system, and asks for the tags that are written.
            Grant::on(
                actions![elasticfilesystem: CreateAccessPoint],
                &[On::Regional("elasticfilesystem", "file-system/*")],
            )
            .when(When::OwnerWritten),
            Grant::on(actions![elasticfilesystem: TagResource], POINTS)
                .when(When::TaggedBy(&["CreateAccessPoint"])),
            Grant::on(actions![elasticfilesystem: DeleteAccessPoint TagResource UntagResource], POINTS)
                .when(When::Owned),
        ],
    };
    const IDENTITY: Identity = Identity::Assigned;
    const EXAMPLE: &'static str = include_str!("access_point.example.yaml");

    /// EFS makes the folder that is asked for, and `/` is always there (API_RootDirectory).
    fn validate(spec: &Spec, _place: &Place) -> Vec<Invalid> {
        let root = &spec.root_directory;
        let rules = [(
            "rootDirectory.creationInfo",
            root.path == "/" && root.creation_info.is_some(),
            "is for a folder that EFS makes, and `/` is there: remove it, or set path",
        )];
        let broken = rules.into_iter().filter(|rule| rule.1);
        broken.map(|(path, _, what)| Invalid::new(path, what)).collect()
    }

    /// EFS takes the file system's ARN as well, and tells its id.
    fn normalise(spec: &mut Spec, _place: &Place) {
        if let Some((_, id)) =
            spec.file_system_id.rsplit_once('/').filter(|(begin, _)| begin.starts_with("arn:"))
        {
            spec.file_system_id = id.to_owned();
        }
    }

    fn observe(snapshot: &Snapshot, place: &Place) -> Vec<Live<Self>> {
        snapshot.access_points.values().filter_map(|it| live(it, place)).collect()
    }

    async fn create(cx: &Cx<'_, Self>, want: &Spec) -> Result<String> {
        let root = SdkRoot::builder()
            .path(&want.root_directory.path)
            .set_creation_info(want.root_directory.creation_info.as_ref().map(creation).transpose()?)
            .build();
        let call =
            cx.client.create_access_point().client_token(cx.token).file_system_id(&want.file_system_id);
        let call = call
            .set_posix_user(want.posix_user.as_ref().map(user).transpose()?)
            .root_directory(root)
            .set_tags(Some(tag_list(cx.tags, CREATE)?));
        let answer = call.send().await.map_err(failed)?;
        answer
            .access_point_id
            .ok_or_else(|| Error::malformed("efs", CREATE, "the answer lacks AccessPointId"))
    }

    /// All that it has is there from the beginning.
    async fn update(_cx: &Cx<'_, Self>, _live: &Live<Self>, _want: &Spec, _diff: &Diff) -> Result<()> {
        Ok(())
    }

    async fn delete(cx: &Cx<'_, Self>, _live: &Live<Self>) -> Result<()> {
        cx.client.delete_access_point().access_point_id(cx.name).send().await.map_err(failed)?;
        Ok(())
    }
}

const CREATE: &str = "CreateAccessPoint";

fn user(said: &PosixUser) -> Result<SdkUser> {
    let built = SdkUser::builder().uid(said.uid).gid(said.gid);
    let groups = Some(said.secondary_gids.clone()).filter(|groups| !groups.is_empty());
    let built = built.set_secondary_gids(groups).build();
    built.map_err(|error| Error::malformed("efs", CREATE, error.to_string()))
}

fn creation(said: &CreationInfo) -> Result<SdkCreation> {
    let built = SdkCreation::builder().owner_uid(said.owner_uid).owner_gid(said.owner_gid);
    let built = built.permissions(&said.permissions).build();
    built.map_err(|error| Error::malformed("efs", CREATE, error.to_string()))
}

fn live(told: &AccessPointDescription, place: &Place) -> Option<Live<AccessPoint>> {
    let id = told.access_point_id()?;
    let state = told.life_cycle_state().filter(|state| **state != LifeCycleState::Deleted)?;
    let root = told.root_directory();
    let creation_info = root.and_then(|it| it.creation_info()).map(|it| CreationInfo {
        owner_uid: it.owner_uid(),
        owner_gid: it.owner_gid(),
        permissions: it.permissions().to_owned(),
    });
    let spec = Spec {
        file_system_id: told.file_system_id()?.to_owned(),
        posix_user: told.posix_user().map(|it| PosixUser {
            uid: it.uid(),
            gid: it.gid(),
            secondary_gids: it.secondary_gids().to_vec(),
        }),
        root_directory: RootDirectory {
            path: root.and_then(|it| it.path()).unwrap_or("/").to_owned(),
            creation_info,
        },
    };
    let arn = place.arn("elasticfilesystem", &format!("access-point/{id}"));
    let outputs = Outputs {
        id: id.to_owned(),
        access_point_id: id.to_owned(),
        arn: arn.clone(),
        file_system_id: spec.file_system_id.clone(),
    };
    let tags = own_tags(told.tags().iter().map(|tag| (tag.key(), tag.value())));
    let readiness = match state {
        LifeCycleState::Available => Readiness::Ready,
        LifeCycleState::Error => Readiness::Failed("it is in the state error".to_owned()),
        state => Readiness::Pending(format!("it is {}", state.as_str())),
    };
    Some(Live { readiness, ..Live::new(id, spec, outputs).with(arn, tags) })
}

#[cfg(test)]
mod tests;
