"""Batch's whole life by boto3: environment, queue, definition, jobs, arrays, dependencies, tags, and back to nothing.

What is expected is what https://docs.aws.amazon.com/batch/latest/APIReference/ says of each call. The image `shell` is mapped to a
shell by whoever runs this; the endpoint comes from the environment.
"""

import boto3
from botocore.exceptions import ClientError

batch, ec2, iam, logs = (boto3.client(it) for it in ("batch", "ec2", "iam", "logs"))
# How often something is asked for at most: the sandbox takes no time between states.
MOST = 20000


def until(look, wanted):
    for _ in range(MOST):
        found = look()
        if found == wanted:
            return
    raise AssertionError(f"still {found!r}, not {wanted!r}")


def refused(call, text, **arguments):
    try:
        call(**arguments)
    except ClientError as error:
        assert error.response["Error"]["Code"] == "ClientException", error
        assert text in error.response["Error"]["Message"], error
    else:
        raise AssertionError(f"{arguments} was not refused")


def environment():
    found = batch.describe_compute_environments(computeEnvironments=["life"])["computeEnvironments"]
    return (found[0]["state"], found[0]["status"]) if found else None


def queue():
    found = batch.describe_job_queues(jobQueues=["life"])["jobQueues"]
    return (found[0]["state"], found[0]["status"]) if found else None


def job(identifier):
    return batch.describe_jobs(jobs=[identifier])["jobs"][0]


def ended(identifier, status):
    until(lambda: job(identifier)["status"], status)
    return job(identifier)


def submit(name, *command, **more):
    overrides = {"containerOverrides": {"command": list(command)}} if command else {}
    return batch.submit_job(jobName=name, jobQueue="life", jobDefinition="life", **overrides, **more)["jobId"]


# What Batch stands on.
vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.9.0.0/24")["Subnet"]["SubnetId"]
group = ec2.create_security_group(VpcId=vpc, GroupName="life", Description="life")["GroupId"]
TRUST = (
    '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ecs-tasks.amazonaws.com"},'
    '"Action":"sts:AssumeRole"}]}'
)
role = iam.create_role(RoleName="life", AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]

# Environment.
resources = {"type": "FARGATE", "maxvCpus": 8, "subnets": [subnet], "securityGroupIds": [group]}
made = batch.create_compute_environment(
    computeEnvironmentName="life", type="MANAGED", computeResources=resources, tags={"Team": "data"}
)
until(environment, ("ENABLED", "VALID"))
refused(
    batch.create_compute_environment,
    "Object already exists",
    computeEnvironmentName="life",
    type="MANAGED",
    computeResources=resources,
)
batch.update_compute_environment(computeEnvironment="life", computeResources={"maxvCpus": 16})
until(environment, ("ENABLED", "VALID"))
described = batch.describe_compute_environments(computeEnvironments=[made["computeEnvironmentArn"]])
assert described["computeEnvironments"][0]["computeResources"]["maxvCpus"] == 16

# Queue.
order = [{"order": 1, "computeEnvironment": "life"}]
queue_arn = batch.create_job_queue(jobQueueName="life", state="ENABLED", priority=1, computeEnvironmentOrder=order)["jobQueueArn"]
until(queue, ("ENABLED", "VALID"))
batch.update_job_queue(jobQueue="life", priority=7)
assert batch.describe_job_queues(jobQueues=["life"])["jobQueues"][0]["priority"] == 7
refused(batch.delete_compute_environment, "", computeEnvironment="life")

# Definition: each registration is a revision.
container = {
    "image": "shell",
    "command": ["Ref::what"],
    "executionRoleArn": role,
    "jobRoleArn": role,
    "resourceRequirements": [{"type": "VCPU", "value": "0.25"}, {"type": "MEMORY", "value": "512"}],
}
definition = {
    "jobDefinitionName": "life",
    "type": "container",
    "platformCapabilities": ["FARGATE"],
    "containerProperties": container,
    "parameters": {"what": "true"},
}
first = batch.register_job_definition(**definition)
second = batch.register_job_definition(**definition, retryStrategy={"attempts": 2})
assert (first["revision"], second["revision"]) == (1, 2)
pages = batch.get_paginator("describe_job_definitions").paginate(jobDefinitionName="life", status="ACTIVE")
assert sorted(it["revision"] for page in pages for it in page["jobDefinitions"]) == [1, 2]

# A job and its log.
identifier = submit("hello", parameters={"what": "echo hello from the job"})
done = ended(identifier, "SUCCEEDED")
assert done["jobDefinition"] == second["jobDefinitionArn"] and done["container"]["exitCode"] == 0, done
stream = done["container"]["logStreamName"]
events = logs.get_log_events(logGroupName="/aws/batch/job", logStreamName=stream, startFromHead=True)["events"]
assert [it["message"] for it in events] == ["hello from the job"], events

# One that fails is tried as often as its definition says.
failed = ended(submit("fails", "exit 3"), "FAILED")
assert failed["container"]["exitCode"] == 3 and len(failed["attempts"]) == 2, failed

# An array, and a job after each of its children.
array = submit("array", "echo $AWS_BATCH_JOB_ARRAY_INDEX", arrayProperties={"size": 3})
each = submit("each", "true", arrayProperties={"size": 3}, dependsOn=[{"jobId": array, "type": "N_TO_N"}])
last = submit("last", "true", dependsOn=[{"jobId": each}])
ended(last, "SUCCEEDED")
assert job(array)["arrayProperties"]["statusSummary"]["SUCCEEDED"] == 3
assert job(f"{array}:2")["container"]["exitCode"] == 0
children = batch.list_jobs(arrayJobId=array, jobStatus="SUCCEEDED")["jobSummaryList"]
assert sorted(it["arrayProperties"]["index"] for it in children) == [0, 1, 2]

# What depends on a failure fails, too.
after = submit("after", "true", dependsOn=[{"jobId": submit("breaks", "false")}])
assert "Dependent Job failed" in ended(after, "FAILED")["statusReason"]

# Terminated while it runs, cancelled while it waits.
long = submit("long", "sleep 600")
waiting = submit("waiting", "true", dependsOn=[{"jobId": long}])
until(lambda: job(long)["status"], "RUNNING")
until(lambda: job(waiting)["status"], "PENDING")
batch.cancel_job(jobId=waiting, reason="not needed")
batch.terminate_job(jobId=long, reason="enough")
assert ended(long, "FAILED")["statusReason"] == "enough"
assert ended(waiting, "FAILED")["statusReason"] == "not needed"

# Lists.
names = [it["jobName"] for it in batch.list_jobs(jobQueue="life", jobStatus="FAILED")["jobSummaryList"]]
assert set(names) == {"fails", "breaks", "after", "long", "waiting"}, names
filters = [{"name": "JOB_NAME", "values": ["hel*"]}]
assert [it["jobId"] for it in batch.list_jobs(jobQueue="life", filters=filters)["jobSummaryList"]] == [identifier]
pages = batch.get_paginator("list_jobs").paginate(jobQueue="life", jobStatus="SUCCEEDED", PaginationConfig={"PageSize": 1})
assert sum(len(page["jobSummaryList"]) for page in pages) == 4

# Tags.
batch.tag_resource(resourceArn=queue_arn, tags={"Team": "data", "cost centre": "a/b=c"})
batch.untag_resource(resourceArn=queue_arn, tagKeys=["Team"])
assert batch.list_tags_for_resource(resourceArn=queue_arn)["tags"] == {"cost centre": "a/b=c"}
assert batch.list_tags_for_resource(resourceArn=made["computeEnvironmentArn"])["tags"] == {"Team": "data"}

# And back to nothing.
batch.deregister_job_definition(jobDefinition="life:1")
batch.deregister_job_definition(jobDefinition=second["jobDefinitionArn"])
refused(submit, "", name="too late")
refused(batch.delete_job_queue, "", jobQueue="life")
batch.update_job_queue(jobQueue="life", state="DISABLED")
until(queue, ("DISABLED", "VALID"))
batch.delete_job_queue(jobQueue="life")
until(queue, None)
refused(batch.delete_compute_environment, "", computeEnvironment="life")
batch.update_compute_environment(computeEnvironment="life", state="DISABLED")
until(environment, ("DISABLED", "VALID"))
batch.delete_compute_environment(computeEnvironment="life")
until(environment, None)
