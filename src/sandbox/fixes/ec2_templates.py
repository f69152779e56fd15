"""Launch templates as EC2 serves them, where moto differs."""

from moto.core.responses import ActionResult
from moto.ec2 import exceptions
from moto.ec2.models.launch_templates import LaunchTemplate, LaunchTemplateVersion
from moto.ec2.responses.launch_templates import LaunchTemplates


# Numbers are never given twice, and a version holds what it was told: of the template's own tags nothing.
# https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateLaunchTemplateVersion.html
def create_version(self, data, description):
    number = self.__dict__["batchwright_newest"] = self.__dict__.get("batchwright_newest", 0) + 1
    version = LaunchTemplateVersion(self, number, data, description)
    self.versions.append(version)
    return version


def get_version(self, number):
    wanted = {"$latest": self.versions[-1].number, "$default": self.default_version_number}.get(str(number).lower(), number)
    for version in self.versions:
        if str(version.number) == str(wanted):
            return version
    raise exceptions.InvalidLaunchTemplateVersionNotFound(template_id=self.id, version=number)


LaunchTemplate.create_version = create_version
LaunchTemplate.get_version = get_version
LaunchTemplate.default_version = lambda self: get_version(self, self.default_version_number)


def told(response):
    data = response._get_param("LaunchTemplateData", {})
    if not data:
        raise exceptions.MissingParameterError("LaunchTemplateData")
    # What is to be tagged, and with what, is required of each (API_LaunchTemplateTagSpecificationRequest).
    for tags in data.get("TagSpecifications") or []:
        if not isinstance(tags, dict) or not tags.get("ResourceType") or not tags.get("Tags"):
            raise exceptions.MissingParameterError("TagSpecifications")
        if any(not isinstance(tag, dict) or "Key" not in tag or "Value" not in tag for tag in tags["Tags"]):
            raise exceptions.MissingParameterError("Tags")
    return data


# The numbers of versions: digits (API_DescribeLaunchTemplateVersions).
def numbered(response, name, absent):
    said = response._get_param(name)
    if said is None:
        return absent
    if not str(said).isascii() or not str(said).isdigit():
        raise exceptions.InvalidParameterValueError(said)
    return int(said)


def described(template, version):
    return {
        "CreateTime": version.create_time,
        "DefaultVersion": template.is_default(version),
        "LaunchTemplateData": version.data,
        "LaunchTemplateId": template.id,
        "LaunchTemplateName": template.name,
        "VersionDescription": version.description,
        "VersionNumber": version.number,
    }


def asked(response):
    name, template_id = response._get_param("LaunchTemplateName"), response._get_param("LaunchTemplateId")
    if bool(name) == bool(template_id):
        raise exceptions.MissingParameterError("launch template ID or launch template name")
    backend = response.ec2_backend
    return backend.get_launch_template_by_name(name) if name else backend.get_launch_template(template_id)


def of_template(template):
    return {
        "CreateTime": template.create_time,
        "DefaultVersionNumber": template.default_version_number,
        "LatestVersionNumber": template.latest_version_number,
        "LaunchTemplateId": template.id,
        "LaunchTemplateName": template.name,
        "Tags": template.get_tags(),
    }


def create_launch_template(self):
    data, description = told(self), self._get_param("VersionDescription")
    tags = self._parse_tag_specification()
    template = self.ec2_backend.create_launch_template(self._get_param("LaunchTemplateName"), description, data, tags)
    return ActionResult({"LaunchTemplate": of_template(template)})


def create_launch_template_version(self):
    template, data = asked(self), told(self)
    source = self._get_param("SourceVersion")
    if source:
        data = {**template.get_version(source).data, **data}
    version = template.create_version(data, self._get_param("VersionDescription"))
    return ActionResult({"LaunchTemplateVersion": described(template, version)})


# https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeLaunchTemplateVersions.html
def describe_launch_template_versions(self):
    named = self._get_param("LaunchTemplateName") or self._get_param("LaunchTemplateId")
    templates = [asked(self)] if named else list(self.ec2_backend.launch_templates.values())
    numbers = self._get_param("Versions", [])
    least, most = numbered(self, "MinVersion", 1), numbered(self, "MaxVersion", 2**31)
    found = []
    for template in templates:
        chosen = {template.get_version(number).number for number in numbers}
        newest_first = sorted(template.versions, key=lambda it: -it.number)
        found += [
            described(template, it)
            for it in newest_first
            if (it.number in chosen if numbers else least <= it.number <= most)
        ]
    return ActionResult({"LaunchTemplateVersions": found})


def describe_launch_templates(self):
    templates = self.ec2_backend.describe_launch_templates(
        self._get_param("LaunchTemplateNames", []), self._get_param("LaunchTemplateIds", []), self._filters_from_querystring()
    )
    return ActionResult({"LaunchTemplates": [of_template(it) for it in templates]})


# The default version stays; codes: LaunchTemplateErrorCode.
# https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteLaunchTemplateVersions.html
def delete_launch_template_versions(self):
    template, gone, refused = asked(self), [], []
    for number in self._get_param("Versions", []):
        if not str(number).isascii() or not str(number).isdigit():
            raise exceptions.InvalidParameterValueError(number)
        one = {"LaunchTemplateId": template.id, "LaunchTemplateName": template.name, "VersionNumber": int(number)}
        version = next((it for it in template.versions if it.number == int(number)), None)
        if version is None:
            error = {"Code": "launchTemplateVersionDoesNotExist", "Message": "The version does not exist."}
            refused.append({**one, "ResponseError": error})
        elif template.is_default(version):
            error = {"Code": "unexpectedError", "Message": "The default version cannot be deleted."}
            refused.append({**one, "ResponseError": error})
        else:
            template.versions.remove(version)
            gone.append(one)
    return ActionResult(
        {
            "SuccessfullyDeletedLaunchTemplateVersions": gone,
            "UnsuccessfullyDeletedLaunchTemplateVersions": refused,
        }
    )


get_template_filter = LaunchTemplate.get_filter_value


def get_filter_value(self, filter_name, method_name=None):
    return self.id if filter_name == "launch-template-id" else get_template_filter(self, filter_name, method_name)


def delete_launch_template(self):
    template = asked(self)
    self.ec2_backend.delete_launch_template(template.name, None)
    return ActionResult({"LaunchTemplate": of_template(template)})


LaunchTemplate.get_filter_value = get_filter_value
for operation in (
    create_launch_template,
    create_launch_template_version,
    delete_launch_template,
    delete_launch_template_versions,
    describe_launch_template_versions,
    describe_launch_templates,
):
    setattr(LaunchTemplates, operation.__name__, operation)
