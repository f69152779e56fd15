"""Instance profiles as IAM serves them, where moto differs."""

from moto.iam import exceptions
from moto.iam.models import IAMBackend

# An instance profile's name is unique whatever its case; only the role that it holds is taken out of it.
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
# https://docs.aws.amazon.com/IAM/latest/APIReference/API_RemoveRoleFromInstanceProfile.html
create_instance_profile = IAMBackend.create_instance_profile


def create_instance_profile_once(self, name, path, role_names, tags=None):
    if any(it.lower() == name.lower() for it in self.instance_profiles):
        raise exceptions.EntityAlreadyExists(f"Instance Profile {name} already exists.")
    return create_instance_profile(self, name, path, role_names, tags)


def remove_role_from_instance_profile(self, profile_name, role_name):
    profile = self.get_instance_profile(profile_name)
    if not any(role.name.lower() == role_name.lower() for role in profile.roles):
        raise exceptions.NotFoundException(f"The role with name {role_name} cannot be found.")
    profile.roles = []


IAMBackend.create_instance_profile = create_instance_profile_once
IAMBackend.remove_role_from_instance_profile = remove_role_from_instance_profile
