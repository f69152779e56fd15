"""Runs a job that leaves processes in sessions of their own, and writes their numbers: what is left of them is up to the sandbox.

The image `shell` is mapped through the admin door, as a tool in another process does it.
"""

import json
import os
import sys
import urllib.request

import boto3

batch, ec2, iam = (boto3.client(it) for it in ("batch", "ec2", "iam"))
body = json.dumps({"image": "shell", "program": "/bin/sh", "args": ["-c"]}).encode()
door = urllib.request.Request(os.environ["AWS_ENDPOINT_URL"] + "/_batchwright/images", body)
door.add_header("x-batchwright-token", os.environ["BATCHWRIGHT_SANDBOX_TOKEN"])
urllib.request.urlopen(door).read()

subnet = ec2.describe_subnets()["Subnets"][0]["SubnetId"]
group = ec2.describe_security_groups()["SecurityGroups"][0]["GroupId"]
TRUST = (
    '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ecs-tasks.amazonaws.com"},'
    '"Action":"sts:AssumeRole"}]}'
)
role = iam.create_role(RoleName="left", AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]
resources = {"type": "FARGATE", "maxvCpus": 8, "subnets": [subnet], "securityGroupIds": [group]}
batch.create_compute_environment(computeEnvironmentName="left", type="MANAGED", computeResources=resources)


def until(look):
    while not look():
        pass


until(lambda: batch.describe_compute_environments()["computeEnvironments"][0]["status"] == "VALID")
order = [{"order": 1, "computeEnvironment": "left"}]
batch.create_job_queue(jobQueueName="left", state="ENABLED", priority=1, computeEnvironmentOrder=order)
until(lambda: batch.describe_job_queues()["jobQueues"][0]["status"] == "VALID")
file = sys.argv[1]
script = f"setsid sleep 1000 & echo $! $$ > {file}.part; mv {file}.part {file}; exec sleep 1000"
container = {
    "image": "shell",
    "command": [script],
    "executionRoleArn": role,
    "jobRoleArn": role,
    "resourceRequirements": [{"type": "VCPU", "value": "0.25"}, {"type": "MEMORY", "value": "512"}],
}
batch.register_job_definition(
    jobDefinitionName="left", type="container", platformCapabilities=["FARGATE"], containerProperties=container
)
batch.submit_job(jobName="left", jobQueue="left", jobDefinition="left")
until(lambda: os.path.exists(file))
