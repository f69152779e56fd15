"""IAM as AWS serves it, where moto differs."""

import json
import uuid

import batchwright_documents as documents
import batchwright_limits as limits
from moto.core.responses import ActionResult, EmptyResult
from moto.iam import exceptions, responses
from moto.iam.aws_managed_policies import aws_managed_policies_data
from moto.iam.models import AWSManagedPolicy, IAMBackend, Policy, Role
from moto.iam.responses import IamResponse


class UnmodifiableEntity(exceptions.IAMException):
    code = "UnmodifiableEntity"


# Lists: a marker is one that was given.
call_action = IamResponse.call_action


def call_with_marker(self):
    if not (self.params.get("Marker") or "0").isdigit():
        limits.answer_with(self, exceptions.ValidationError("Invalid Marker."))
    return call_action(self)


IamResponse.call_action = call_with_marker


# AWS-managed policies: there are some 1400, so each is made when it is first asked for, not all for each account.
AWS_POLICIES = json.loads(aws_managed_policies_data)
AWS_POLICY_NAMES = {data["Path"] + name: name for name, data in AWS_POLICIES.items()}


class Policies(dict):
    """An account's managed policies by ARN; AWS's own appear when they are looked up."""

    def __init__(self, backend):
        super().__init__()
        self.backend = backend
        self.prefix = f"arn:{backend.partition}:iam::aws:policy"

    def __missing__(self, arn):
        if not arn.startswith(self.prefix) or arn[len(self.prefix):] not in AWS_POLICY_NAMES:
            raise KeyError(arn)
        name = AWS_POLICY_NAMES[arn[len(self.prefix):]]
        policy = AWSManagedPolicy.from_data(name, self.backend.account_id, self.backend.region_name, AWS_POLICIES[name])
        self[arn] = policy
        return policy

    def __contains__(self, arn):
        try:
            self[arn]
        except KeyError:
            return False
        return True

    def load_all(self):
        for path in AWS_POLICY_NAMES:
            self[self.prefix + path]


IAMBackend._init_aws_policies = lambda self: []
IAMBackend._init_managed_policies = lambda self: Policies(self)

list_policies = IAMBackend.list_policies


def list_policies_of(self, marker, max_items, only_attached, path_prefix, scope):
    if scope != "Local" and not only_attached:
        self.managed_policies.load_all()
    return list_policies(self, marker, max_items, only_attached, path_prefix, scope)


IAMBackend.list_policies = list_policies_of


# Attaching: found by ARN, once only (moto counts a second attachment of the same policy), ten to a role.
def attach_role_policy(self, policy_arn, role_name):
    role = modifiable(self, role_name)
    if policy_arn not in self.managed_policies:
        raise exceptions.NotFoundException(f"Policy {policy_arn} does not exist or is not attachable.")
    if policy_arn in role.managed_policies:
        return
    if len(role.managed_policies) >= 10:
        raise exceptions.LimitExceededException("Cannot exceed quota for PoliciesPerRole: 10")
    self.managed_policies[policy_arn].attach_to(role)


IAMBackend.attach_role_policy = attach_role_policy


# Roles: a name is unique whatever its case, and AWS says who is missing in its own words.
def get_role(self, role_name):
    for role in self.roles.values():
        if role.name.lower() == role_name.lower():
            return role
    raise exceptions.NotFoundException(f"The role with name {role_name} cannot be found.")


create_role = IAMBackend.create_role


def create_role_once(self, role_name, assume_role_policy_document, *args, **kwargs):
    documents.check_trust(assume_role_policy_document, self)
    if any(role.name.lower() == role_name.lower() for role in self.roles.values()):
        raise exceptions.EntityAlreadyExists(f"Role with name {role_name} already exists.")
    role = create_role(self, role_name, assume_role_policy_document, *args, **kwargs)
    role.max_session_duration = int(role.max_session_duration or 3600)
    return role


IAMBackend.get_role = get_role
IAMBackend.create_role = create_role_once


# UpdateRole leaves alone what it isn't told (moto resets it).
def update_role(self, role_name, role_description, max_session_duration):
    # The description of a service-linked role is anybody's to change; nothing else of it is.
    role = self.get_role(role_name) if max_session_duration is None else modifiable(self, role_name)
    if role_description is not None:
        role.description = role_description
    if max_session_duration is not None:
        role.max_session_duration = int(max_session_duration)
    return role


def update_role_response(self):
    self.backend.update_role(
        self._get_param("RoleName"), self._get_param("Description"), self._get_param("MaxSessionDuration")
    )
    return EmptyResult()


IAMBackend.update_role = update_role
IamResponse.update_role = update_role_response


# Service-linked roles: AWS's spelling of the service, AWS's refusal of a second one, hands off for everybody else.
SPELLINGS = {
    "autoscaling": "AutoScaling",
    "batch": "Batch",
    "ecs": "ECS",
    "ecr": "ECRReplication",
    "replication.ecr": "ECRReplication",
    "pullthroughcache.ecr": "ECRPullThroughCache",
    "ecs.application-autoscaling": "ApplicationAutoScaling_ECSService",
    "eks": "AmazonEKS",
    "elasticloadbalancing": "ElasticLoadBalancing",
    "events": "CloudWatchEvents",
    "scheduler": "Scheduler",
    "spot": "EC2Spot",
    "spotfleet": "EC2SpotFleet",
}
LINKED_POLICIES = {
    "Batch": "BatchServiceRolePolicy",
    "ECS": "AmazonECSServiceRolePolicy",
    "AutoScaling": "AutoScalingServiceRolePolicy",
}
create_service_linked_role = IAMBackend.create_service_linked_role


def create_linked_role(self, service_name, description, suffix):
    service = service_name.removesuffix(".cn").removesuffix(".amazonaws.com")
    if service not in SPELLINGS:
        if not service_name.endswith((".amazonaws.com", ".amazonaws.com.cn")):
            raise exceptions.InvalidInput(f"Service role does not exist for service {service_name}.")
        return create_service_linked_role(self, service_name, description, suffix)
    name = "AWSServiceRoleFor" + SPELLINGS[service] + (f"_{suffix}" if suffix else "")
    if any(role.name == name for role in self.roles.values()):
        raise exceptions.InvalidInput(
            f"Service role name {name} has been taken in this account, please try a different suffix."
        )
    trust = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"Service": service_name}, "Action": "sts:AssumeRole"}],
    }
    path = f"/aws-service-role/{service_name}/"
    role = self.create_role(
        name, json.dumps(trust), path, None, description or "", [], 3600, linked_service=service_name
    )
    arn = f"arn:{self.partition}:iam::aws:policy/aws-service-role/{LINKED_POLICIES.get(SPELLINGS[service], '')}"
    if arn in self.managed_policies:
        self.managed_policies[arn].attach_to(role)
    return role


def delete_service_linked_role(self, role_name):
    role = self.get_role(role_name)
    for policy in list(role.managed_policies.values()):
        policy.detach_from(role)
    del self.roles[role.id]
    return f"task{role.path}{role.name}/{uuid.uuid4()}"


def modifiable(backend, role_name):
    role = backend.get_role(role_name)
    if role._linked_service:
        raise UnmodifiableEntity(
            f"Cannot perform the operation on the protected role '{role.name}' - this role is only modifiable by AWS"
        )
    return role


def only_if_modifiable(name):
    original = getattr(IAMBackend, name)
    names = original.__code__.co_varnames
    position = names.index("role_name") - 1

    def guarded(self, *args, **kwargs):
        modifiable(self, kwargs.get("role_name") or args[position])
        return original(self, *args, **kwargs)

    setattr(IAMBackend, name, guarded)


IAMBackend.create_service_linked_role = create_linked_role
IAMBackend.delete_service_linked_role = delete_service_linked_role
for guarded_name in (
    "delete_role",
    "detach_role_policy",
    "put_role_policy",
    "delete_role_policy",
    "put_role_permissions_boundary",
    "delete_role_permissions_boundary",
):
    only_if_modifiable(guarded_name)


# Documents: whom they name is kept by id, and their size is limited, of inline ones together.
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
documents.keep_by_id(Role, "assume_role_policy_document")


def update_assume_role_policy(self, role_name, policy_document):
    role = modifiable(self, role_name)
    documents.check_trust(policy_document, self)
    role.assume_role_policy_document = policy_document


def limited_inline(method, kind, get, most):
    original = getattr(IAMBackend, method)

    def put(self, name, policy_name, policy_json):
        holder = getattr(self, get)(name)
        documents.check_identity(policy_json)
        all_of_them = {**holder.policies, policy_name: policy_json}
        if sum(documents.size(it) for it in all_of_them.values()) > most:
            raise exceptions.LimitExceededException(f"Maximum policy size of {most} bytes exceeded for {kind} {holder.name}")
        return original(self, name, policy_name, policy_json)

    setattr(IAMBackend, method, put)


def managed(method, position):
    original = getattr(IAMBackend, method)

    def put(self, *args, **kwargs):
        documents.check_managed(kwargs.get("policy_document") or args[position])
        return original(self, *args, **kwargs)

    setattr(IAMBackend, method, put)


# A boundary is a policy that is there.
# https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutRolePermissionsBoundary.html
put_boundary, create_bounded_role = IAMBackend.put_role_permissions_boundary, IAMBackend.create_role


def check_boundary(self, arn):
    if arn and arn not in self.managed_policies:
        raise exceptions.NotFoundException(f"Scope ARN: {arn} does not exist or is not attachable.")


def put_role_permissions_boundary(self, role_name, permissions_boundary):
    check_boundary(self, permissions_boundary)
    put_boundary(self, role_name, permissions_boundary)


def create_role_within(self, role_name, assume_role_policy_document, path, permissions_boundary, *args, **kwargs):
    # The text: tilfin/aws-iam-policy-tool#9.
    if (path or "").startswith("/aws-service-role/") and not kwargs.get("linked_service"):
        raise exceptions.InvalidInput("Path prefix '/aws-service-role/' can only be used for AWS Service linked Roles")
    check_boundary(self, permissions_boundary)
    return create_bounded_role(self, role_name, assume_role_policy_document, path, permissions_boundary, *args, **kwargs)


# A policy's name is unique whatever its case and path.
# https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreatePolicy.html
create_policy = IAMBackend.create_policy


def create_policy_once(self, description, path, policy_document, policy_name, tags):
    own = (it for it in self.managed_policies.values() if not isinstance(it, AWSManagedPolicy))
    if any(it.name.lower() == policy_name.lower() for it in own):
        raise exceptions.EntityAlreadyExists(
            f"A policy called {policy_name} already exists. Duplicate names are not allowed."
        )
    return create_policy(self, description, path, policy_document, policy_name, tags)


IAMBackend.put_role_permissions_boundary = put_role_permissions_boundary
IAMBackend.create_role = create_role_within
IAMBackend.create_policy = create_policy_once
IAMBackend.update_assume_role_policy = update_assume_role_policy
limited_inline("put_role_policy", "role", "get_role", 10240)
limited_inline("put_user_policy", "user", "get_user", 2048)
limited_inline("put_group_policy", "group", "get_group", 5120)
managed("create_policy", 2)
managed("create_policy_version", 1)


# Policies: no deletion while attached, used as a boundary or of several versions.
def delete_policy(self, policy_arn):
    policy = self.get_policy(policy_arn)
    holders = [*self.roles.values(), *self.users.values()]
    bounded = any(getattr(holder, "permissions_boundary_arn", None) == policy_arn for holder in holders)
    if policy.attachment_count > 0 or bounded:
        raise exceptions.DeleteConflictException("Cannot delete a policy attached to entities.")
    if len(policy.versions) > 1:
        raise exceptions.DeleteConflictException(
            "This policy has more than one version. Before you delete a policy, you must delete the policy's"
            " versions. The default version is deleted with the policy."
        )
    del self.managed_policies[policy_arn]


def get_policy(self, policy_arn):
    if policy_arn not in self.managed_policies:
        raise exceptions.NotFoundException(f"Policy {policy_arn} was not found.")
    return self.managed_policies[policy_arn]


IAMBackend.delete_policy = delete_policy
IAMBackend.get_policy = get_policy


# OpenID Connect providers: clients can be added and removed.
def add_client_id(self):
    provider = self.backend.get_open_id_connect_provider(self._get_param("OpenIDConnectProviderArn"))
    client = self._get_param("ClientID")
    if client not in provider.client_id_list:
        if len(provider.client_id_list) >= 100:
            raise exceptions.LimitExceededException("Cannot exceed quota for ClientIdsPerOpenIdConnectProvider: 100")
        provider.client_id_list = [*provider.client_id_list, client]
    return EmptyResult()


def remove_client_id(self):
    provider = self.backend.get_open_id_connect_provider(self._get_param("OpenIDConnectProviderArn"))
    provider.client_id_list = [it for it in provider.client_id_list if it != self._get_param("ClientID")]
    return EmptyResult()


IamResponse.add_client_id_to_open_id_connect_provider = add_client_id
IamResponse.remove_client_id_from_open_id_connect_provider = remove_client_id


# Documents come URL-encoded in lists too.
IamResponse.RESPONSE_KEY_PATH_TO_TRANSFORMER = {
    **IamResponse.RESPONSE_KEY_PATH_TO_TRANSFORMER,
    "ListRolesResponse.Roles.Role.AssumeRolePolicyDocument": responses.url_encode,
    "GetAccountAuthorizationDetailsResponse.RoleDetailList.RoleDetail.AssumeRolePolicyDocument": responses.url_encode,
}


# A policy's name and id in GetAccountAuthorizationDetails (moto's serializer does not find them).
Policy.policy_name = property(lambda self: self.name)
Policy.policy_id = property(lambda self: self.id)


# GetAccountAuthorizationDetails: the filter and pages are honoured; of AWS's policies only those in use are given.
def page_of(items, limit, marker):
    start = int(marker) if marker else 0
    more = start + limit < len(items)
    return items[start : start + limit], str(start + limit) if more else None


def authorization_details(self):
    asked = self._get_param("Filter", []) or ["User", "Group", "Role", "LocalManagedPolicy", "AWSManagedPolicy"]
    backend = self.backend
    found = []
    for kind, key, things in (
        ("User", "UserDetailList", backend.users.values()),
        ("Group", "GroupDetailList", backend.groups.values()),
        ("Role", "RoleDetailList", backend.roles.values()),
    ):
        found += [(key, thing) for thing in things if kind in asked]
    for policy in backend.managed_policies.values():
        own = not isinstance(policy, AWSManagedPolicy)
        if ("LocalManagedPolicy" in asked) if own else ("AWSManagedPolicy" in asked and policy.attachment_count > 0):
            found.append(("Policies", policy))
    page, marker = page_of(found, int(self._get_param("MaxItems", 100)), self._get_param("Marker"))
    result = {"UserDetailList": [], "GroupDetailList": [], "RoleDetailList": [], "Policies": []}
    for key, thing in page:
        result[key].append(thing)
    return ActionResult({**result, "IsTruncated": bool(marker), "Marker": marker})


IamResponse.get_account_authorization_details = authorization_details
